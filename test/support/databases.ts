import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import type { Database } from '../../src/database/database.js'
import { parseSettings } from '../../src/config/settings.js'
import {
  PostgresqlDatabase,
  type PostgresqlDatabaseOptions,
} from '../../src/database/postgresql/postgresql-database.js'
import { SqliteDatabase } from '../../src/database/sqlite/sqlite-database.js'
import { sharedPostgres } from './postgres.js'
import { temporarySqlite } from './sqlite.js'

const BUSY_TIMEOUT_MS = 5_000

/** A migrated database of a test's own. Each call of `connect` is a process' worth of connections to it. */
export interface TestDatabase {
  readonly url: string
  connect(): Promise<Database>
  remove(): Promise<void>
}

/** Options for a PostgreSQL database that a test opens itself. */
export function postgresqlOptions(
  url: string,
  options: Partial<PostgresqlDatabaseOptions> = {},
): PostgresqlDatabaseOptions {
  const { poolSize, connectTimeoutMs, statementTimeoutMs, writeQueueLimit, idleTimeoutMs } = parseSettings(
    {},
    false,
  ).database
  return {
    ...{ url, poolSize, connectTimeoutMs, statementTimeoutMs, writeQueueLimit, idleTimeoutMs },
    busyTimeoutMs: BUSY_TIMEOUT_MS,
    transactionTimeoutMs: BUSY_TIMEOUT_MS,
    ...options,
  }
}

/** How to make a {@link TestDatabase} of each kind; suites that hold for both loop over this. */
export const databases: Readonly<Record<'SQLite' | 'PostgreSQL', () => Promise<TestDatabase>>> = {
  SQLite: () => {
    const temporary = temporarySqlite()
    const { file } = temporary
    return Promise.resolve({
      url: `file:${file}`,
      connect: () => SqliteDatabase.open({ file, busyTimeoutMs: BUSY_TIMEOUT_MS, synchronous: 'NORMAL' }),
      remove: () => Promise.resolve(temporary.remove()),
    })
  },
  PostgreSQL: async () => {
    const server = await sharedPostgres()
    const url = await server.createDatabase()
    await migratePostgres(url)
    return {
      url,
      connect: () => Promise.resolve(PostgresqlDatabase.open(postgresqlOptions(url))),
      // The server of the test run takes its databases with it.
      remove: () => Promise.resolve(),
    }
  },
}

/** Applies the migrations, without the history that the command line keeps. */
export async function migratePostgres(url: string): Promise<void> {
  const folder = join(process.cwd(), 'prisma', 'migrations', 'postgresql')
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true }).filter((item) => item.isDirectory())) {
      await client.query(readFileSync(join(folder, entry.name, 'migration.sql'), 'utf8'))
    }
  } finally {
    await client.end()
  }
}
