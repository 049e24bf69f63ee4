// One writing process of a benchmark: `node writer.mjs JOB`, forked by lib/processes.mjs. It opens its store, says that it
// is ready, begins when it is told to, and reports what it did and how long each write waited.
import { once } from 'node:events'
import { ROWS, stores } from './lib/stores.mjs'

const job = JSON.parse(process.argv[2])
const store = await stores[job.store](job.file, job.options)

const jobs = {
  /** A fixed number of transactions that read, modify and write one row. */
  rounds: async ({ rounds }) => {
    const report = { succeeded: 0, failed: 0, waits: [] }
    for (let round = 0; round < rounds; round++) {
      try {
        report.waits.push(await store.transaction(1, async () => undefined))
        report.succeeded += 1
      } catch {
        report.failed += 1
      }
    }
    return report
  },

  /** Transactions that hold the lock for a while, for a fixed time. */
  hold: async ({ seconds, holdMs }) => {
    const report = { succeeded: 0, failed: 0, waits: [] }
    const end = performance.now() + seconds * 1_000
    while (performance.now() < end) {
      try {
        report.waits.push(await store.transaction(1, () => busyFor(holdMs)))
        report.succeeded += 1
      } catch {
        report.failed += 1
      }
    }
    return report
  },

  /** Single updates, so many at a time, for a fixed time. */
  updates: async ({ seconds, concurrency }) => {
    const report = { succeeded: 0, failed: 0, waits: [] }
    const end = performance.now() + seconds * 1_000
    const client = async (_value, index) => {
      for (let id = index; performance.now() < end; id = (id + concurrency) % ROWS) {
        const start = performance.now()
        try {
          await store.update(id + 1)
          report.succeeded += 1
        } catch {
          report.failed += 1
        }
        report.waits.push(performance.now() - start)
      }
    }
    await Promise.all(Array.from({ length: concurrency }, client))
    return report
  },
}

/** Awaits, as a transaction does between its statements, for at least so long. */
async function busyFor(milliseconds) {
  const end = performance.now() + milliseconds
  while (performance.now() < end) await new Promise((resolve) => setImmediate(resolve))
}

process.send({ type: 'ready' })
await once(process, 'message')
const start = performance.now()
const report = await jobs[job.kind](job)
const elapsedMs = performance.now() - start
await store.close()
process.send({ type: 'report', ...report, elapsedMs }, () => process.exit())
