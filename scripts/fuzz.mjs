// `npm run fuzz`: Schemathesis (https://schemathesis.io) makes requests from the service's own OpenAPI document, good ones
// and bad ones, against a server of two workers on each database, with a key. No answer may be a failure of ours or contradict
// the document, none may hang or come without the key that it needs, and nothing in the log may be an error. Afterwards no row
// may break a rule, and every history must lead to what is there. SEED repeats a run.
import './lib/node-version.mjs'
import { createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startService } from '../bench/lib/service.mjs'
import { startServer as startPostgres } from '../test/support/postgres-server.mjs'
import { Failure, main } from './lib/failure.mjs'
import { judge, judgeLog } from './lib/fuzz-judge.mjs'
import { inProject } from './lib/paths.mjs'
import { prepare } from './lib/prepare.mjs'
import { run, ToolFailed } from './lib/run.mjs'

const VERSION = '4.32.5'
const FOLDER = inProject('node_modules', '.cache', `schemathesis-${VERSION}`)
const HOOKS = inProject('scripts', 'lib', 'fuzz_hooks.py')
const FUZZER = join(FOLDER, 'bin', 'st')
const SEEDS = 1_000_000_000
const EXAMPLES = process.env.FUZZ_EXAMPLES ?? '60'
/** A hang is one long before the service itself would give up. */
const LONGEST_ANSWER_SECONDS = '5'
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'ignored_auth',
]
const WORKERS = '2'
/** At a time, each a process with a seed of its own: Schemathesis' threads (--workers) are not safe from each other. */
const FUZZERS = 2
const LOG = 'server.log'
const REQUESTS = 'requests.ndjson'
/** The stream of events has no end that a request could wait for; test/http/changes.spec.ts is at it. */
const ENDLESS = 'streamChanges'

await main(async () => {
  await prepare()
  await install()
  const seed = process.env.SEED ?? String(Math.floor(Math.random() * SEEDS))
  console.error(`gator: SEED=${seed}, FUZZ_EXAMPLES=${EXAMPLES}`)
  await onSqlite(seed)
  await onPostgresql(seed)
})

async function install() {
  if (existsSync(FUZZER)) return
  console.error('gator: installing Schemathesis from PyPI…')
  try {
    await run(['python3', '-m', 'venv', FOLDER])
    await run([join(FOLDER, 'bin', 'pip'), 'install', '--quiet', `schemathesis==${VERSION}`])
  } catch (error) {
    rmSync(FOLDER, { recursive: true, force: true })
    if (!(error instanceof ToolFailed)) throw error
    throw new Failure(`Schemathesis could not be installed (python3 with venv, and PyPI, are needed):\n${error.output}`)
  }
}

async function onSqlite(seed) {
  await fuzz('SQLite', seed, (folder) => `file:${join(folder, 'gator.db')}`)
}

async function onPostgresql(seed) {
  const server = await startPostgres()
  try {
    await fuzz('PostgreSQL', seed, () => server.adminUrl)
  } finally {
    await server.stop()
  }
}

/**
 * Has a server on a database fuzzed, and looks at what is left in it. The folder stays when that fails, with every request
 * and answer, the server's log, and SQLite's file.
 */
async function fuzz(name, seed, urlIn) {
  const folder = mkdtempSync(join(tmpdir(), 'gator-fuzz-'))
  try {
    await fuzzIn(folder, name, seed, urlIn(folder))
  } catch (error) {
    const what = error instanceof ToolFailed ? error.output : error instanceof Failure ? error.message : error.stack
    throw new Failure(`${name}, SEED=${seed}; all requests and the log are in ${folder}:\n${what}`)
  }
  rmSync(folder, { recursive: true, force: true })
}

async function fuzzIn(folder, name, seed, databaseUrl) {
  const env = { DATABASE_URL: databaseUrl }
  const headers = { Authorization: `Bearer ${await makeKey(env)}` }
  const log = createWriteStream(join(folder, LOG))
  const service = await startService(folder, { ...env, LOG_LEVEL: 'info', WORKERS }, (line) => log.write(`${line}\n`))
  try {
    const fuzzers = Array.from({ length: FUZZERS }, (_, n) => {
      const cwd = mkdtempSync(join(folder, `fuzzer-${n + 1}-`))
      return run(fuzzing(service.url, Number(seed) + n, headers), { cwd, env: { SCHEMATHESIS_HOOKS: HOOKS } })
    })
    // Each runs to its end, whatever becomes of the other.
    for (const { value, reason } of await Promise.allSettled(fuzzers)) {
      if (reason) throw reason
      console.log(`${name}:\n${value.trim()}`)
    }
    const { personas, revisions } = await judge(service.url, headers)
    console.log(`${name}: ${personas} personas are left, each is taken back, and ${revisions} revisions lead to them`)
  } finally {
    await service.stop()
    await new Promise((resolve) => log.end(resolve))
  }
  const lines = readFileSync(join(folder, LOG), 'utf8').trim().split('\n')
  judgeLog(lines.map((line) => JSON.parse(line)))
}

function fuzzing(url, seed, headers) {
  return [
    ...[FUZZER, 'run', `${url}/openapi.json`, '--url', url, '--seed', String(seed)],
    ...Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
    ...['--max-examples', EXAMPLES, '--checks', CHECKS.join(','), '--exclude-operation-id', ENDLESS],
    ...['--max-response-time', LONGEST_ANSWER_SECONDS, '--suppress-health-check', 'all', '--continue-on-failure'],
    // The keys are good for nothing afterwards, and what is shown can be sent again.
    ...['--output-sanitize', 'false'],
    ...['--report', 'ndjson', '--report-ndjson-path', REQUESTS],
  ]
}

/** Makes the database, and a key for all that clients do. */
async function makeKey(env) {
  const command = [process.execPath, 'scripts/gator.mjs', 'keys', 'create', '--name', 'Fuzzer', '--json']
  return JSON.parse(await run([...command, '--scope', 'personas:read', 'personas:write'], { env })).key
}
