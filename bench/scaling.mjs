// `npm run bench:scaling`: the service as it is started in production, on SQLite and on PostgreSQL, with 1, 2 and 4
// workers under mixed load. Prints the table that stands in docs/scaling.md; `--write` puts it there, `--quick` is for
// trying the script out.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer as startPostgres } from '../test/support/postgres-server.mjs'
import { createOverHttp, loadMix } from './lib/http.mjs'
import { describeMachine, fixed, round, section, writeInto } from './lib/report.mjs'
import { startService } from './lib/service.mjs'
import { median } from './lib/statistics.mjs'

const isQuick = process.argv.includes('--quick')
const RUNS = isQuick ? 1 : 3
const SECONDS = isQuick ? 1 : 5
const WARM_UP_SECONDS = isQuick ? 1 : 2
const CONNECTIONS = 64
const PERSONAS = 1_000
const WORKERS = [1, 2, 4]

const folder = mkdtempSync(join(tmpdir(), 'gator-bench-'))
// As a server in production: a commit is on the disk when it is acknowledged.
const postgres = await startPostgres({ settings: { fsync: 'on' } })
const file = `file:${join(folder, 'gator.db')}`
const databases = {
  'SQLite, NORMAL': { DATABASE_URL: file },
  'SQLite, FULL': { DATABASE_URL: file, DATABASE_SYNCHRONOUS: 'FULL' },
  PostgreSQL: { DATABASE_URL: postgres.adminUrl },
}

try {
  const table = `${describeMachine(RUNS)}\n\n${await scaling()}\n`
  console.log(table)
  if (process.argv.includes('--write')) await writeInto('docs/scaling.md', 'scaling', table)
} finally {
  await postgres.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function scaling() {
  const ids = {}
  for (const { DATABASE_URL } of Object.values(databases)) ids[DATABASE_URL] ??= await fill(DATABASE_URL)
  const runs = new Map()
  // Round by round, so that a slow minute of the machine falls on all of them.
  for (let run = 0; run < RUNS; run++) {
    for (const [name, env] of Object.entries(databases)) {
      for (const workers of WORKERS) {
        const cell = `${name}|${workers}`
        runs.set(cell, [...(runs.get(cell) ?? []), await measure(env, workers, ids[env.DATABASE_URL])])
      }
    }
  }
  const rows = [...runs].map(([cell, results]) => {
    const of = (key) => median(results.map((result) => result[key]))
    return [...cell.split('|'), round(of('perSecond')), of('p50'), of('p99'), of('max'), of('failed')].map(String)
  })
  return section(
    `80% GET by id, 10% list of 10, 10% PUT: ${CONNECTIONS} connections, ${round(PERSONAS)} personas`,
    ['', 'workers', 'requests/s', 'p50 ms', 'p99 ms', 'max ms', 'failed'],
    rows,
  )
}

async function fill(url) {
  const service = await startService(folder, { DATABASE_URL: url })
  const ids = await createOverHttp(service.url, PERSONAS)
  await service.stop()
  return ids
}

async function measure(env, workers, ids) {
  const service = await startService(folder, { ...env, WORKERS: String(workers) })
  const target = { url: service.url, ids, connections: CONNECTIONS }
  await loadMix({ ...target, seconds: WARM_UP_SECONDS })
  const result = await loadMix({ ...target, seconds: SECONDS })
  await service.stop()
  return { ...result, max: Number(fixed(result.max, 0)) }
}
