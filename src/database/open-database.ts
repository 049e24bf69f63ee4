import type { Logger } from 'pino'
import type { DatabaseSettings, Settings } from '../config/settings.js'
import type { Database } from './database.js'
import type { MigrationStore } from './migrations/migration-store.js'
import { PostgresqlDatabase } from './postgresql/postgresql-database.js'
import { PostgresqlMigrationStore } from './postgresql/postgresql-migration-store.js'
import { SqliteDatabase } from './sqlite/sqlite-database.js'
import { SqliteMigrationStore } from './sqlite/sqlite-migration-store.js'

/** The one place that chooses a dialect. */
export async function openDatabase(settings: Settings, logger: Logger): Promise<Database> {
  const { target, busyTimeoutMs, synchronous } = settings.database
  const logStatement = ({ sql, durationMs, role }: { sql: string; durationMs: number; role?: string }) =>
    logger.info({ role, durationMs: Math.round(durationMs * 1000) / 1000 }, `SQL ${sql}`)
  if (target.provider === 'postgresql') {
    const url = target.url
    return PostgresqlDatabase.open({ url, busyTimeoutMs, ...(settings.log.sql && { onStatement: logStatement }) })
  }
  const database = await SqliteDatabase.open({
    file: target.file,
    busyTimeoutMs,
    synchronous,
    observer: {
      ...(settings.log.sql && { onStatement: logStatement }),
      onLockTimeout: ({ waitedMs }) =>
        logger.warn(
          { waitedMs: Math.round(waitedMs), busyTimeoutMs },
          'busy_timeout: a write was refused, nothing was written',
        ),
      onWriterReplaced: ({ reason }) => logger.error({ reason }, 'the write connection was replaced'),
    },
  })
  logger.info({ file: target.file, synchronous, busyTimeoutMs }, 'SQLite WAL mode enabled for improved concurrency')
  return database
}

/** The migrations' side of the database that the settings name. */
export function migrationStoreOf({ target }: DatabaseSettings): MigrationStore {
  return target.provider === 'sqlite' ? new SqliteMigrationStore(target.file) : new PostgresqlMigrationStore(target.url)
}
