import { describe } from '@jest/globals'
import BetterSqlite3 from 'better-sqlite3'
import type { Database } from '../../src/database/database.js'
import { parseSettings } from '../../src/config/settings.js'
import {
  PostgresqlDatabase,
  type PostgresqlDatabaseOptions,
} from '../../src/database/postgresql/postgresql-database.js'
import { SqliteDatabase } from '../../src/database/sqlite/sqlite-database.js'
import { createMigratedDatabase, dropDatabase, queryPostgres, sharedPostgres } from './postgres.js'
import { emptySqlite, type TemporarySqlite, temporarySqlite } from './sqlite.js'

const BUSY_TIMEOUT_MS = 5_000

export type Row = Record<string, unknown>

/** A database of a test's own. */
export interface TestDatabase {
  readonly name: DatabaseName
  readonly url: string
  /** A process' worth of connections to it. */
  connect(): Promise<Database>
  /** Runs SQL through a connection that no application knows. One statement answers its rows, several answer none. */
  query(sql: string): Promise<Row[]>
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

export type DatabaseName = 'SQLite' | 'PostgreSQL'
type Databases = Readonly<Record<DatabaseName, () => Promise<TestDatabase>>>

/** How to make a migrated {@link TestDatabase} of each kind. */
export const databases: Databases = {
  SQLite: () => Promise.resolve(sqliteDatabase(temporarySqlite())),
  PostgreSQL: async () => postgresqlDatabase(await createMigratedDatabase()),
}

/** How to make one that was never migrated: a file that is not there yet, a database without a table. */
export const emptyDatabases: Databases = {
  SQLite: () => Promise.resolve(sqliteDatabase(emptySqlite())),
  PostgreSQL: async () => postgresqlDatabase(await (await sharedPostgres()).createDatabase()),
}

/** Runs a suite on each database. What it makes, it makes of the kind that it is given. */
export function onEachDatabase(suite: (kind: DatabaseName) => void): void {
  describe.each(Object.keys(databases) as DatabaseName[])('on %s', suite)
}

function sqliteDatabase({ file, remove }: TemporarySqlite): TestDatabase {
  return {
    name: 'SQLite',
    url: `file:${file}`,
    connect: () => SqliteDatabase.open({ file, busyTimeoutMs: BUSY_TIMEOUT_MS, synchronous: 'NORMAL' }),
    query: (sql) => Promise.resolve().then(() => querySqlite(file, sql)),
    remove: () => Promise.resolve(remove()),
  }
}

function postgresqlDatabase(url: string): TestDatabase {
  return {
    name: 'PostgreSQL',
    url,
    connect: () => Promise.resolve(PostgresqlDatabase.open(postgresqlOptions(url))),
    query: (sql) => queryPostgres(url, sql),
    remove: () => dropDatabase(url),
  }
}

function querySqlite(file: string, sql: string): Row[] {
  const database = new BetterSqlite3(file)
  try {
    const isQuery = /^\s*(SELECT|PRAGMA)\b|\bRETURNING\s+\w+\s*$/i.test(sql)
    if (isQuery) return database.prepare<[], Row>(sql).all()
    database.exec(sql)
    return []
  } finally {
    database.close()
  }
}
