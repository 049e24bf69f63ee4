import { Registry } from 'prom-client'
import type { DatabaseGauges, DatabaseWatch } from '../database/database-watch.js'
import type { Settings } from '../config/settings.js'
import { POSTGRESQL_OUTCOMES, type PostgresqlObserver } from '../database/postgresql/observer.js'
import { SQLITE_OUTCOMES, type SqliteObserver } from '../database/sqlite/observer.js'
import { together } from '../database/together.js'
import { AccessMetrics } from './access-metrics.js'
import { ChangeMetrics } from './change-metrics.js'
import { ContentionRecorder } from './contention.js'
import { HttpMetrics } from './http-metrics.js'
import { postgresqlMetrics, watchPools } from './postgresql-metrics.js'
import { RuntimeMetrics } from './runtime-metrics.js'
import { sqliteMetrics } from './sqlite-metrics.js'
import { type Snapshot, takeSnapshot } from './snapshot.js'
import { WriteMetrics } from './write-metrics.js'

/** The slot of a process that has no others beside it. */
export const ONLY_WORKER = 1

/** Everything that one serving process measures: for Prometheus, and for the summary of who waits for whom. */
export class ProcessMetrics implements DatabaseWatch {
  readonly http: HttpMetrics
  readonly access: AccessMetrics
  readonly changes: ChangeMetrics
  readonly contention: ContentionRecorder
  readonly sqlite: SqliteObserver = {}
  readonly postgresql: PostgresqlObserver = {}
  readonly #registry = new Registry()
  readonly #runtime: RuntimeMetrics
  readonly #writes: WriteMetrics

  constructor({ database, log }: Pick<Settings, 'database' | 'log'>, slot: number = ONLY_WORKER) {
    const registry = this.#registry
    const worker = String(slot)
    const isSqlite = database.target.provider === 'sqlite'
    this.#runtime = new RuntimeMetrics(registry, worker)
    this.http = new HttpMetrics(registry)
    this.access = new AccessMetrics(registry)
    this.changes = new ChangeMetrics(registry)
    this.contention = new ContentionRecorder(slot)
    const outcomes = isSqlite ? SQLITE_OUTCOMES : POSTGRESQL_OUTCOMES
    this.#writes = new WriteMetrics(registry, worker, outcomes, log.slowStatementMs)
    const { observer } = this.#writes
    if (isSqlite) this.sqlite = together(observer, sqliteMetrics(registry, worker), this.contention.sqlite())
    else this.postgresql = together(observer, postgresqlMetrics(registry), this.contention.postgresql())
  }

  watch(gauges: DatabaseGauges): void {
    this.#writes.watch(gauges)
    this.contention.watch(gauges)
    if (gauges.pools().length > 0) watchPools(this.#registry, gauges.pools)
  }

  snapshot(): Promise<Snapshot> {
    return takeSnapshot(this.#registry)
  }

  close(): void {
    this.#runtime.close()
  }
}
