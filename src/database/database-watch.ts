import type { PoolUse, PostgresqlObserver } from './postgresql/observer.js'
import type { SqliteObserver } from './sqlite/observer.js'

/** What can be asked of a database that is open. */
export interface DatabaseGauges {
  /** How many writes wait for their turn. */
  readonly waitingWrites: () => number
  readonly pools: () => readonly PoolUse[]
}

/** Whoever watches a database from within its process: the metrics do. */
export interface DatabaseWatch {
  readonly sqlite: SqliteObserver
  readonly postgresql: PostgresqlObserver
  /** Called once, when the database is open. */
  watch(gauges: DatabaseGauges): void
}
