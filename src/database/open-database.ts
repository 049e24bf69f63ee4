import cluster, { type Worker } from 'node:cluster'
import type { Logger } from 'pino'
import type { DatabaseSettings, Settings } from '../config/settings.js'
import type { Database } from './database.js'
import type { MigrationStore } from './migrations/migration-store.js'
import { PostgresqlDatabase } from './postgresql/postgresql-database.js'
import { PostgresqlMigrationStore } from './postgresql/postgresql-migration-store.js'
import { checkServer } from './postgresql/server-check.js'
import { SqliteDatabase } from './sqlite/sqlite-database.js'
import { TicketOffice } from './sqlite/ticket-office.js'
import { TicketTurnstile } from './sqlite/ticket-turnstile.js'
import { SqliteMigrationStore } from './sqlite/sqlite-migration-store.js'

/** The one place that chooses a dialect. */
export async function openDatabase(settings: Settings, logger: Logger): Promise<Database> {
  const { target, busyTimeoutMs, synchronous, writeQueueLimit, idleTimeoutMs, transactionTimeoutMs } = settings.database
  const logStatement = ({ sql, durationMs, role }: { sql: string; durationMs: number; role?: string }) =>
    logger.info({ role, durationMs: Math.round(durationMs * 1000) / 1000 }, `SQL ${sql}`)
  if (target.provider === 'postgresql') {
    return PostgresqlDatabase.open({
      ...settings.database,
      url: target.url,
      ...(settings.log.sql && { onStatement: logStatement }),
    })
  }
  let busySnapshots = 0
  const database = await SqliteDatabase.open({
    file: target.file,
    busyTimeoutMs,
    synchronous,
    writeQueueLimit,
    idleTimeoutMs,
    transactionTimeoutMs,
    // A worker takes part in the queue of all workers; the primary deals out the turns.
    ...(cluster.isWorker && { turnstile: new TicketTurnstile(process) }),
    observer: {
      ...(settings.log.sql && { onStatement: logStatement }),
      onRefused: ({ reason, waitedMs }) =>
        logger.warn(
          { reason, waitedMs: Math.round(waitedMs), busyTimeoutMs, writeQueueLimit },
          'busy_timeout: a write was refused, nothing was written',
        ),
      onWatchdog: ({ reason, openMs }) =>
        logger.error({ reason, openMs: Math.round(openMs) }, 'a transaction was rolled back by the watchdog'),
      onBusySnapshot: () => {
        busySnapshots += 1
        logger.error({ busySnapshots }, 'SQLITE_BUSY_SNAPSHOT: a transaction wrote after it had read an old snapshot')
      },
      onWriterReplaced: ({ reason }) => logger.error({ reason }, 'the write connection was replaced'),
    },
  })
  logger.info({ file: target.file, synchronous, busyTimeoutMs }, 'SQLite WAL mode enabled for improved concurrency')
  return database
}

/** The migrations' side of the database that the settings name. */
export function migrationStoreOf({ target, directUrl }: DatabaseSettings): MigrationStore {
  return target.provider === 'sqlite'
    ? new SqliteMigrationStore(target.file)
    : new PostgresqlMigrationStore(directUrl ?? target.url)
}

/**
 * Looks once, before anyone serves, whether the database's server can do what is asked of it.
 * @returns why it cannot, or undefined; what only endangers it is logged
 */
export async function refusalOfServer({ server, database }: Settings, logger: Logger): Promise<string | undefined> {
  if (database.target.provider === 'sqlite') return undefined
  const { refusal, warnings } = await checkServer(database.target.url, server.workers, database.poolSize)
  for (const warning of warnings) logger.warn(warning)
  return refusal
}

// Its holder waits for SQLite's lock, and then the watchdog ends its transaction: a turn that lasts longer is forgotten.
const TURN_MARGIN_MS = 1_000

/** What the primary does with each worker that it forks, so that their writes are served in order. */
export function workerCoordination(settings: DatabaseSettings): (worker: Worker) => void {
  if (settings.target.provider === 'postgresql') return () => undefined
  const office = new TicketOffice(settings.busyTimeoutMs + settings.transactionTimeoutMs + TURN_MARGIN_MS)
  return (worker) => office.attach(worker)
}
