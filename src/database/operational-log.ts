import type { Logger } from 'pino'
import type { Settings } from '../config/settings.js'
import type { DatabaseObserver, RefusedWrite, RunStatement } from './observer.js'
import type { PostgresqlObserver } from './postgresql/observer.js'
import type { AcquiredLock, SqliteObserver } from './sqlite/observer.js'

/** What the log tells of the database. The word to find the lines about locks by is `busy_timeout`. */
export class OperationalLog {
  #busySnapshots = 0

  constructor(
    private readonly settings: Pick<Settings, 'database' | 'log'>,
    private readonly logger: Logger,
    /** How many writes of this process wait for their turn. */
    private readonly waitingWrites: () => number,
  ) {}

  /** The lines about an SQLite file. */
  sqlite(): SqliteObserver {
    return {
      ...this.#common(),
      onLockAcquired: (event) => this.#waited(event),
      onWatchdog: ({ reason, openMs }) =>
        this.logger.error({ reason, openMs: Math.round(openMs) }, 'a transaction was rolled back by the watchdog'),
      onBusySnapshot: () => {
        this.#busySnapshots += 1
        this.logger.error(
          { busySnapshots: this.#busySnapshots },
          'SQLITE_BUSY_SNAPSHOT: a transaction wrote after it had read an old snapshot',
        )
      },
      onWriterReplaced: ({ reason }) => this.logger.error({ reason }, 'the write connection was replaced'),
    }
  }

  /** The lines about a PostgreSQL server. */
  postgresql(): PostgresqlObserver {
    return { ...this.#common(), onTurn: ({ waitedMs }) => this.#waited({ waitedMs }) }
  }

  #common(): DatabaseObserver {
    const { sql, slowStatementMs } = this.settings.log
    return {
      ...((sql || slowStatementMs > 0) && { onStatement: (event) => this.#ran(event) }),
      onRefused: (event) => this.#refused(event),
    }
  }

  #ran({ sql, role, durationMs }: RunStatement): void {
    const { sql: logsAll, slowStatementMs } = this.settings.log
    const isSlow = slowStatementMs > 0 && durationMs > slowStatementMs
    if (!logsAll && !isSlow) return
    const fields = { role, durationMs: thousandths(durationMs) }
    if (logsAll) this.logger.info(fields, `SQL ${sql}`)
    if (isSlow) this.logger.warn({ ...fields, slowStatementMs, sql }, 'busy_timeout: a statement was slow')
  }

  #waited({ waitedMs, lockMs = 0, heldBy }: Partial<AcquiredLock> & { readonly waitedMs: number }): void {
    const { slowWriteWaitMs } = this.settings.log
    if (slowWriteWaitMs === 0 || waitedMs <= slowWriteWaitMs) return
    const fields = { ...this.#figures(waitedMs, lockMs), slowWriteWaitMs, ...(heldBy && { heldBy: rounded(heldBy) }) }
    this.logger.warn(fields, 'busy_timeout: a write waited long')
  }

  #refused({ reason, waitedMs, lockMs = 0 }: RefusedWrite): void {
    const { writeQueueLimit } = this.settings.database
    this.logger.warn(
      { reason, ...this.#figures(waitedMs, lockMs), writeQueueLimit },
      'busy_timeout: a write was refused, nothing was written',
    )
  }

  // `lockMs` is what a lock was waited for that is not the service's own to deal out.
  #figures(waitedMs: number, lockMs: number): Record<string, number> {
    const { busyTimeoutMs } = this.settings.database
    return {
      waitedMs: Math.round(waitedMs),
      lockMs: Math.round(lockMs),
      busyTimeoutMs,
      queueDepth: this.waitingWrites(),
    }
  }
}

function rounded({ worker, heldMs }: NonNullable<AcquiredLock['heldBy']>): AcquiredLock['heldBy'] {
  return { worker, heldMs: Math.round(heldMs) }
}

function thousandths(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
