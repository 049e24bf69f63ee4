import Database from 'better-sqlite3'
import pg from 'pg'
import type { Provider } from './command-line.js'

/** What the tests ask a database for, in either dialect. */
export interface TestDatabase {
  query(sql: string): Promise<Record<string, unknown>[]>
  /** The names of tables and views. */
  tables(): Promise<string[]>
  indexes(): Promise<string[]>
  checks(): Promise<string[]>
  close(): Promise<void>
}

export async function openDatabase(provider: Provider, url: string): Promise<TestDatabase> {
  return provider === 'sqlite' ? openSqlite(url) : openPostgresql(url)
}

function openSqlite(url: string): TestDatabase {
  const database = new Database(url.replace(/^file:/, ''), { fileMustExist: true })
  const query = (sql: string): Promise<Record<string, unknown>[]> =>
    Promise.resolve().then(() => ownErrors(() => runSqlite(database, sql)))
  const master = (kinds: string): Promise<Record<string, unknown>[]> =>
    query(`SELECT name, sql FROM sqlite_master WHERE type IN (${kinds}) AND name NOT LIKE 'sqlite%' ORDER BY name`)
  return {
    query,
    tables: async () => column(await master(`'table', 'view'`), 'name'),
    indexes: async () => column(await master(`'index'`), 'name'),
    checks: async () => namedChecks(column(await master(`'table'`), 'sql')),
    close: () => Promise.resolve(void database.close()),
  }
}

function runSqlite(database: Database.Database, sql: string): Record<string, unknown>[] {
  const statement = database.prepare<[], Record<string, unknown>>(sql)
  if (statement.reader) return statement.all()
  statement.run()
  return []
}

/**
 * Rethrows an error as one of this file's realm. A native module keeps the error class of the first spec file that a Jest
 * process loaded it for; in the next one its errors are no `Error`, and `toThrow` says that nothing was thrown.
 */
function ownErrors<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw new Error((cause as { message: string }).message, { cause })
  }
}

/** SQLite keeps constraints in the text of CREATE TABLE alone. */
function namedChecks(definitions: string[]): string[] {
  return definitions
    .flatMap((sql) => [...sql.matchAll(/CONSTRAINT "(\w+)" CHECK/g)].map((match) => String(match[1])))
    .sort()
}

async function openPostgresql(url: string): Promise<TestDatabase> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const query = async (sql: string): Promise<Record<string, unknown>[]> =>
    (await client.query<Record<string, unknown>>(sql)).rows
  return {
    query,
    tables: async () =>
      column(
        await query(
          `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`,
        ),
        'name',
      ),
    indexes: async () =>
      column(await query(`SELECT indexname AS name FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1`), 'name'),
    checks: async () =>
      column(
        await query(
          `SELECT conname AS name FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace ORDER BY 1`,
        ),
        'name',
      ),
    close: () => client.end(),
  }
}

function column(rows: Record<string, unknown>[], name: string): string[] {
  return rows.map((row) => String(row[name]))
}
