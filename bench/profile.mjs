// `npm run bench:profile`: where the time of a request goes. One service, one worker, a profile of each route; the flame
// graphs and the table go into docs.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeSqlite } from './lib/databases.mjs'
import { drawFlames, framesOf, sharesOf } from './lib/flame.mjs'
import { measureStart } from './lib/measure.mjs'
import { writeInto } from './lib/report.mjs'
import { ROUTES } from './lib/routes.mjs'

const PERSONAS = 10_000
const TIMING = { connections: 32, warmUpMs: 5_000, leadMs: 0, windowMs: 8_000 }
/** Each with the service that shows it: a read that is to be cold finds nothing kept. */
const PROFILED = { 'get-hot': 'sqlite', 'get-cold': 'uncached', put: 'sqlite' }

const rows = []
for (const [route, service] of Object.entries(PROFILED)) rows.push(await profile(route, service))
const owners = [...new Set(rows.flatMap(({ shares }) => shares.map(([name]) => name)))]
const percent = (share = 0) => `${(share * 100).toFixed(0)}%`
const table = [
  `| | CPU, µs a request, profiled | ${owners.join(' | ')} |`,
  `| --- | ${['cpu', ...owners].map(() => '---:').join(' | ')} |`,
  ...rows.map(({ route, cpuMicros, shares }) => {
    const byOwner = new Map(shares)
    return `| ${ROUTES[route].title} | ${cpuMicros} | ${owners.map((name) => percent(byOwner.get(name))).join(' | ')} |`
  }),
].join('\n')
console.log(table)
await writeInto('docs/performance.md', 'profile', table)

/** Loads one route of a service that is profiled, and draws what it did while it was measured. */
async function profile(route, service) {
  const folder = mkdtempSync(join(tmpdir(), 'gator-profile-'))
  try {
    const file = makeSqlite(join(folder, 'database'), PERSONAS)
    const database = { file, url: `file:${file}`, folder }
    const nodeArgs = ['--cpu-prof', `--cpu-prof-dir=${folder}`]
    const cell = { service, workers: 1, personas: PERSONAS, routes: [route], database, nodeArgs }
    const [report] = await measureStart(cell, TIMING)
    const root = framesOf(profileIn(folder), TIMING.windowMs / 1_000)
    const title = `${ROUTES[route].title}: where the processor's time goes`
    writeFileSync(fileURLToPath(new URL(`../docs/flame-${route}.svg`, import.meta.url)), drawFlames(root, title))
    return { route, cpuMicros: Math.round(report.cpuMicros ?? NaN), shares: sharesOf(root) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The largest one: each thread of a process writes its own. */
function profileIn(folder) {
  const files = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'))
  const [largest] = files
    .map((name) => join(folder, name))
    .sort((one, other) => statSync(other).size - statSync(one).size)
  return JSON.parse(readFileSync(largest, 'utf8'))
}
