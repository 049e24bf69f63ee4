import cluster from 'node:cluster'
import type { Logger } from 'pino'
import { expectedDatabaseFile } from '../config/environment.js'
import type { Settings } from '../config/settings.js'
import type { Database } from './database.js'
import { PostgresqlDatabase } from './postgresql/postgresql-database.js'
import { SqliteDatabase } from './sqlite/sqlite-database.js'
import { TicketTurnstile } from './sqlite/ticket-turnstile.js'

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
    expectedFile: expectedDatabaseFile(),
    busyTimeoutMs,
    synchronous,
    ...(settings.database.checkpoints.isExternal && { autocheckpointPages: 0 }),
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
