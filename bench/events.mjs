// `npm run bench:events`: how long after a write those who follow the changes hear of it, on SQLite and on PostgreSQL. The
// writer and all listeners are in this process, so that one clock measures. Prints the table that stands in
// docs/benchmarks.md; `--write` puts it there, `--quick` is for trying the script out.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startServer as startPostgres } from '../test/support/postgres-server.mjs'
import { listen, writeEvenly } from './lib/events.mjs'
import { createOverHttp } from './lib/http.mjs'
import { describeMachine, fixed, round, section, writeInto } from './lib/report.mjs'
import { startService } from './lib/service.mjs'
import { latencies, median } from './lib/statistics.mjs'

const isQuick = process.argv.includes('--quick')
const RUNS = isQuick ? 1 : 3
const SECONDS = isQuick ? 5 : 20
const WARM_UP_SECONDS = 3
const WORKERS = 2
const LISTENERS = 100
const WRITES_PER_SECOND = 200
const PERSONAS = 200
const LAST_EVENTS_WITHIN_MS = 10_000

const folder = mkdtempSync(join(tmpdir(), 'gator-bench-'))
// As a server in production: a commit is on the disk when it is acknowledged.
const postgres = await startPostgres({ settings: { fsync: 'on' } })
const databases = { SQLite: `file:${join(folder, 'gator.db')}`, PostgreSQL: postgres.adminUrl }

try {
  const table = `${describeMachine(RUNS)}\n\n${await delays()}\n`
  console.log(table)
  if (process.argv.includes('--write')) writeInto('docs/benchmarks.md', 'events', table)
} finally {
  await postgres.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function delays() {
  const rows = []
  for (const [name, url] of Object.entries(databases)) {
    const runs = []
    for (let run = 0; run < RUNS; run++) runs.push(await measure(url))
    const of = (since, key) => fixed(median(runs.map((result) => result[since][key])))
    const [got, expected] = ['got', 'expected'].map((key) => runs.reduce((sum, result) => sum + result[key], 0))
    rows.push([
      name,
      round(median(runs.map(({ perSecond }) => perSecond))),
      `${round(got)} of ${round(expected)}`,
      ...['begun', 'acknowledged'].flatMap((since) => ['p50', 'p99', 'max'].map((key) => of(since, key))),
    ])
  }
  return section(
    `Delay of an event: ${LISTENERS} listeners on ${WORKERS} workers, ${WRITES_PER_SECOND} PUT/s for ${SECONDS} s`,
    ['', 'writes/s', 'events', 'since the write began, p50 ms', 'p99', 'max', 'since its answer, p50 ms', 'p99', 'max'],
    rows,
  )
}

async function measure(url) {
  const service = await startService(folder, { DATABASE_URL: url, WORKERS: String(WORKERS) })
  try {
    const ids = await createOverHttp(service.url, PERSONAS)
    const warmUp = await listenAll(service.url)
    await writeEvenly(service.url, ids, WRITES_PER_SECOND, WARM_UP_SECONDS)
    warmUp.close()
    const expected = LISTENERS * WRITES_PER_SECOND * SECONDS
    const audience = await listenAll(service.url)
    const writes = await writeEvenly(service.url, ids, WRITES_PER_SECOND, SECONDS)
    const deadline = performance.now() + LAST_EVENTS_WITHIN_MS
    while (audience.arrivals.length < expected && performance.now() < deadline) await delay(10)
    audience.close()
    // An event may be faster than the answer to the write.
    const since = (times) => latencies(audience.arrivals.map(([write, at]) => Math.max(0, at - times[write])))
    const { begun, acknowledged, perSecond } = writes
    const got = audience.arrivals.length
    return { begun: since(begun), acknowledged: since(acknowledged), perSecond, got, expected }
  } finally {
    await service.stop()
  }
}

/** All listeners, and when each of them heard of which write. */
async function listenAll(url) {
  const arrivals = []
  const onWrite = (write) => arrivals.push([write, performance.now()])
  const listeners = []
  for (let n = 0; n < LISTENERS; n++) listeners.push(await listen(url, onWrite))
  return {
    arrivals,
    close: () => {
      for (const listener of listeners) listener.close()
    },
  }
}
