import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import type { Database } from '../../src/database/database.js'
import { PostgresqlDatabase } from '../../src/database/postgresql/postgresql-database.js'
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
      connect: () =>
        Promise.resolve(
          PostgresqlDatabase.open({ url, busyTimeoutMs: BUSY_TIMEOUT_MS, transactionTimeoutMs: BUSY_TIMEOUT_MS }),
        ),
      // The server of the test run takes its databases with it.
      remove: () => Promise.resolve(),
    }
  },
}

async function migratePostgres(url: string): Promise<void> {
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
