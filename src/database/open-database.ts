import cluster from 'node:cluster'
import type { Logger } from 'pino'
import { expectedDatabaseFiles } from '../config/environment.js'
import type { DatabaseSettings, Settings } from '../config/settings.js'
import type { DatabaseWatch } from './database-watch.js'
import type { Database } from './database.js'
import { OperationalLog } from './operational-log.js'
import { PostgresqlDatabase } from './postgresql/postgresql-database.js'
import type { SqliteObserver } from './sqlite/observer.js'
import { SqliteDatabase } from './sqlite/sqlite-database.js'
import { TicketTurnstile } from './sqlite/ticket-turnstile.js'
import { together } from './together.js'

/**
 * The one place that chooses a dialect.
 * @param watch told what the database does, beside the log
 */
export async function openDatabase(settings: Settings, logger: Logger, watch?: DatabaseWatch): Promise<Database> {
  let database: SqliteDatabase | PostgresqlDatabase | undefined
  const waitingWrites = () => database?.waitingWrites ?? 0
  const log = new OperationalLog(settings, logger, waitingWrites)
  const { target } = settings.database
  if (target.provider === 'postgresql') {
    const observer = together(log.postgresql(), watch?.postgresql ?? {})
    const opened = PostgresqlDatabase.open({ ...settings.database, url: target.url, observer })
    database = opened
    watch?.watch({ waitingWrites, pools: () => opened.pools })
    return database
  }
  const observer = together(log.sqlite(), watch?.sqlite ?? {})
  database = await openSqlite(settings.database, target.file, observer)
  watch?.watch({ waitingWrites, pools: () => [] })
  const { synchronous, busyTimeoutMs } = settings.database
  logger.info({ file: target.file, synchronous, busyTimeoutMs }, 'SQLite WAL mode enabled for improved concurrency')
  return database
}

function openSqlite(settings: DatabaseSettings, file: string, observer: SqliteObserver): Promise<SqliteDatabase> {
  const { busyTimeoutMs, synchronous, writeQueueLimit, idleTimeoutMs, transactionTimeoutMs } = settings
  return SqliteDatabase.open({
    ...{ file, busyTimeoutMs, synchronous, writeQueueLimit, idleTimeoutMs, transactionTimeoutMs, observer },
    expectedFiles: expectedDatabaseFiles(),
    ...(settings.checkpoints.isExternal && { autocheckpointPages: 0 }),
    // A worker takes part in the queue of all workers; the primary deals out the turns.
    ...(cluster.isWorker && { turnstile: new TicketTurnstile(process) }),
  })
}
