import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { type SqliteObserver, WATCHDOG_REASONS } from '../database/sqlite/observer.js'
import { MS_PER_SECOND, WAIT_BUCKETS_SECONDS } from './write-metrics.js'

/** Powers of two, up to the most writes that share a commit. */
const GROUP_BUCKETS = [1, 2, 4, 8, 16, 32, 64]
/** SQLite's extended codes of a lock that somebody else holds (https://www.sqlite.org/rescode.html). */
const SNAPSHOT_CODE = 'SQLITE_BUSY_SNAPSHOT'
const BUSY_CODES = ['SQLITE_BUSY', 'SQLITE_BUSY_RECOVERY', 'SQLITE_BUSY_TIMEOUT', SNAPSHOT_CODE]

/** What the engine of one process tells. Made once a registry. */
export function sqliteMetrics(registry: Registry, worker: string): SqliteObserver {
  const registers = [registry]
  const wait = new Histogram({
    name: 'gator_write_lock_wait_seconds',
    help: 'How long the oldest write of a transaction waited for its turn and for the write lock.',
    buckets: WAIT_BUCKETS_SECONDS,
    registers,
  })
  const groups = new Histogram({
    name: 'gator_group_commit_writes',
    help: 'How many single writes shared a commit.',
    buckets: GROUP_BUCKETS,
    registers,
  })
  const busy = counter(registry, 'gator_busy_events_total', 'Times that SQLite said busy, by code.', 'code', BUSY_CODES)
  const watchdog = counter(
    registry,
    'gator_watchdog_rollbacks_total',
    'Transactions that the watchdog rolled back, by reason.',
    'reason',
    WATCHDOG_REASONS,
  )
  const replaced = new Counter({
    name: 'gator_writer_replacements_total',
    help: 'Times that the write connection was replaced, because it could not leave a transaction.',
    registers,
  })
  let heldSince: number | undefined
  new Gauge({
    name: 'gator_write_lease_age_seconds',
    help: 'How long a worker has held the write lock now; 0 when it does not.',
    labelNames: ['worker'],
    aggregator: 'max',
    registers,
    collect() {
      this.set({ worker }, heldSince === undefined ? 0 : (performance.now() - heldSince) / MS_PER_SECOND)
    },
  })
  return {
    onLockAcquired: ({ waitedMs }) => {
      heldSince = performance.now()
      wait.observe(waitedMs / MS_PER_SECOND)
    },
    onTransactionEnd: () => (heldSince = undefined),
    onBusy: ({ code }) => busy.inc({ code }),
    onBusySnapshot: () => busy.inc({ code: SNAPSHOT_CODE }),
    onBatch: ({ size }) => groups.observe(size),
    onWatchdog: ({ reason }) => watchdog.inc({ reason }),
    onWriterReplaced: () => replaced.inc(),
  }
}

/** A counter with one label, whose known values are there from the start. */
export function counter<L extends string>(
  registry: Registry,
  name: string,
  help: string,
  label: L,
  values: readonly string[],
): Counter<L> {
  const made = new Counter({ name, help, labelNames: [label], registers: [registry] })
  for (const value of values) made.inc({ [label]: value } as Record<L, string>, 0)
  return made
}
