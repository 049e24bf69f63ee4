// `npm run bench`: every route of the service, beside other ways to build it. A complete run writes its table into
// docs/benchmarks.md and its plot to docs/benchmark.svg; each writes its raw results.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InvalidArgumentError, Option, program } from 'commander'
import { describeRun } from './lib/description.mjs'
import { factsOf } from './lib/facts.mjs'
import { summarize } from './lib/figures.mjs'
import { MEASURED, planOf } from './lib/plan.mjs'
import { plot } from './lib/plot.mjs'
import { writeInto } from './lib/report.mjs'
import { runAll } from './lib/run.mjs'
import { SERVICES } from './lib/services.mjs'
import { tableOfCells } from './lib/table.mjs'

const MS_PER_MINUTE = 60_000

const { out, ...choice } = program
  .name('npm run bench --')
  .description('Measures every route of the service, beside other ways to build it.')
  .option('--quick', 'one worker, 10,000 personas, a second each: a few minutes')
  .addOption(new Option('--only <service...>', 'these services alone').choices(Object.keys(SERVICES)))
  .addOption(new Option('--route <name...>', 'these routes alone, and the constant one').choices(MEASURED))
  .option('--starts <number>', 'how often each service is started', aboveZero)
  .option('--seconds <number>', 'how long each route is measured in a start', aboveZero)
  .option('--warm-up <seconds>', 'how long each start is under load before anything is measured', aboveZero)
  .option(
    '--out <file>',
    'where the raw results go (default: bench/results, or bench/.cache if any other option is given)',
  )
  .addHelpText('after', '\nA run of everything writes docs/benchmarks.md and docs/benchmark.svg.')
  .parse()
  .opts()

const isComplete = Object.keys(choice).length === 0
const startedAt = new Date()
const plan = planOf(choice)
// The code as it was when it was loaded.
const machine = factsOf()
const run = await runAll(plan)
const minutes = (Date.now() - startedAt) / MS_PER_MINUTE
const result = { startedAt, minutes, machine, plan, ...run }
save(out ?? inFolder(isComplete ? 'results' : '.cache'), JSON.stringify(result, undefined, 1))

const cells = summarize(result.measurements)
const text = `${describeRun(result)}\n\n${tableOfCells(cells)}\n`
console.log(text)
if (!isRight(result)) process.exitCode = 1
else if (isComplete) {
  save(fileURLToPath(new URL('../docs/benchmark.svg', import.meta.url)), plot(cells))
  await writeInto('docs/benchmarks.md', 'bench', text)
}

/** Whether every answer was what it must be; says what was not. */
function isRight({ measurements }) {
  const faulty = measurements.filter(({ wrong }) => wrong > 0)
  for (const { service, workers, personas, route, wrong, firstWrong } of faulty) {
    const cell = `${service}, workers: ${workers}, personas: ${personas}, ${route}`
    console.error(`gator: ${wrong} wrong answers (${cell}); the first: ${firstWrong}`)
  }
  return faulty.length === 0
}

function aboveZero(text) {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('It must be a number above 0.')
  return value
}

/** A file beside this one that the time of the start names. */
function inFolder(folder) {
  const name = startedAt.toISOString().slice(0, 16).replaceAll(':', '')
  return fileURLToPath(new URL(`./${folder}/${name}.json`, import.meta.url))
}

function save(file, text) {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  console.error(`gator: ${file}`)
}
