// `npm run fuzz`: Schemathesis (https://schemathesis.io) makes requests from the service's own OpenAPI document, good ones
// and bad ones, against a server on each database. No answer may be a failure of ours or contradict the document, none may
// hang, and no row may break a rule afterwards.
import './lib/node-version.mjs'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startService } from '../bench/lib/service.mjs'
import { startServer as startPostgres } from '../test/support/postgres-server.mjs'
import { Failure, main } from './lib/failure.mjs'
import { inProject } from './lib/paths.mjs'
import { prepare } from './lib/prepare.mjs'
import { run, ToolFailed } from './lib/run.mjs'

const VERSION = '4.32.5'
const FOLDER = inProject('node_modules', '.cache', `schemathesis-${VERSION}`)
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
]
/** The stream of events has no end that a request could wait for; test/http/changes.spec.ts is at it. */
const ENDLESS = 'streamChanges'
const PAGE = 100

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
  await fuzz('SQLite', 'file:./gator.db', seed)
}

async function onPostgresql(seed) {
  const server = await startPostgres()
  try {
    await fuzz('PostgreSQL', server.adminUrl, seed)
  } finally {
    await server.stop()
  }
}

/** Has a server on this database asked, and looks at what is left in it. */
async function fuzz(name, url, seed) {
  const folder = mkdtempSync(join(tmpdir(), 'gator-fuzz-'))
  const service = await startService(folder, { DATABASE_URL: url, LOG_LEVEL: 'info', WORKERS: '1' })
  try {
    // It keeps notes in the folder where it is run.
    const fuzzing = [
      ...[FUZZER, 'run', `${service.url}/openapi.json`, '--url', service.url, '--seed', seed],
      ...['--max-examples', EXAMPLES, '--checks', CHECKS.join(','), '--exclude-operation-id', ENDLESS],
      ...['--max-response-time', LONGEST_ANSWER_SECONDS, '--suppress-health-check', 'all', '--continue-on-failure'],
    ]
    const output = await run(fuzzing, { cwd: folder })
    console.log(`${name}:\n${output.trim()}`)
    console.log(`${name}: ${await sendBackAll(service.url)} personas are left, and each is taken back as it is`)
  } catch (error) {
    if (error instanceof ToolFailed) throw new Failure(`${name}:\n${error.output}`)
    throw error
  } finally {
    await service.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Sends every persona back as it was read: what breaks a rule is refused. @returns how many there are */
async function sendBackAll(url) {
  const personas = `${url}/api/v1/personas/`
  for (let skip = 0; ; skip += PAGE) {
    const page = await (await fetch(`${personas}?active_only=false&limit=${PAGE}&skip=${skip}`)).json()
    for (const persona of page) {
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(personas + persona.id, { method: 'PUT', headers, body: JSON.stringify(persona) })
      if (!answer.ok) throw new Failure(`A persona that is stored is refused: ${await answer.text()}`)
    }
    if (page.length < PAGE) return skip + page.length
  }
}
