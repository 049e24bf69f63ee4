import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { AppliedMigration } from '../migrations/migration-history.js'
import type { MigrationStore } from '../migrations/migration-store.js'
import { SchemaStateError } from '../migrations/migrations.js'
import { isUnfinished, TRANSFER_STATE } from '../migrations/transfer-state.js'
import { openBetterSqlite3, reading, type SqliteDriver, writeNothing } from './driver.js'
import { isBusy, sqliteCodeOf } from './errors.js'

interface MigrationRow {
  readonly migration_name: string
  readonly checksum: string
  readonly finished_at: unknown
  readonly rolled_back_at: unknown
}

/** The database file cannot be served; the message says which one, why, and what to do. */
export class DatabaseFileError extends SchemaStateError {
  constructor(file: string, code: string, options: ErrorOptions) {
    const advice = ADVICE.find(([codes]) => codes.test(code))?.[1] ?? 'Look at the file and at its folder.'
    super(`The database file ${file} cannot be used (${code}). ${advice}`, options)
  }
}

const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/^SQLITE_NOTADB/, 'It is not an SQLite database: check DATABASE_URL.'],
  [/^SQLITE_CORRUPT/, 'It is damaged: restore a backup.'],
  [
    /^SQLITE_(READONLY|CANTOPEN|PERM)/,
    'This user must be able to read and write the file and its folder, where SQLite keeps its log.',
  ],
  [/^SQLITE_FULL/, 'There is no room left on its disk.'],
]

const LOCK_RETRY_MS = 20
const BUSY_TIMEOUT_MS = 30_000

/**
 * The migrations of an SQLite file. The lock is an exclusive transaction on an empty SQLite file beside the database
 * (see prisma/schema-engine/sqlite-lock.mjs): it is free again when its holder dies, however it dies.
 */
export class SqliteMigrationStore implements MigrationStore {
  constructor(private readonly file: string) {}

  /** @throws DatabaseFileError when the file is there and cannot be served */
  readApplied(): Promise<AppliedMigration[]> {
    return new Promise((resolve) => resolve(existsSync(this.file) ? readHistory(this.file) : []))
  }

  isBeingFilled(): Promise<boolean> {
    return new Promise((resolve) => resolve(existsSync(this.file) && readTransferStates(this.file).some(isUnfinished)))
  }

  // The lock is let go again before the work: the command that migrates takes it itself, and holds it even if this
  // process is killed meanwhile. Two that get here together are put in order by that.
  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    mkdirSync(dirname(this.file), { recursive: true })
    const lock = openBetterSqlite3(`${this.file}-migrate-lock`, { readonly: false, timeoutMs: 0 })
    try {
      await beginExclusive(() => lock.exec('BEGIN EXCLUSIVE'))
    } finally {
      lock.close()
    }
    return work()
  }
}

// Waits as long as it takes: a migration of a large table is slow, and starting beside it would be wrong.
async function beginExclusive(begin: () => void): Promise<void> {
  for (;;) {
    try {
      begin()
      return
    } catch (error) {
      if (!isBusy(error)) throw error
    }
    await delay(LOCK_RETRY_MS)
  }
}

function readHistory(file: string): AppliedMigration[] {
  try {
    assertWritable(file)
    return reading(file, appliedMigrationsOf, BUSY_TIMEOUT_MS)
  } catch (error) {
    const code = sqliteCodeOf(error)
    if (code === undefined || isBusy(error)) throw error
    throw new DatabaseFileError(file, code, { cause: error })
  }
}

// SQLite opens a file that may not be written to without a word, even BEGIN IMMEDIATE, and refuses only the first write:
// one that changes nothing, and is rolled back.
function assertWritable(file: string): void {
  const driver = openBetterSqlite3(file, { readonly: false, timeoutMs: 0 })
  try {
    driver.exec('BEGIN IMMEDIATE')
    writeNothing(driver)
    driver.exec('ROLLBACK')
  } catch (error) {
    if (!isBusy(error)) throw error
  } finally {
    driver.close()
  }
}

const HISTORY =
  'SELECT migration_name, checksum, finished_at, rolled_back_at FROM _prisma_migrations ORDER BY started_at'

/** The rows of `_prisma_migrations`, oldest first, through a connection that is open; none when there is no such table. */
export function appliedMigrationsOf(driver: SqliteDriver): AppliedMigration[] {
  return rowsOf<MigrationRow>(driver, '_prisma_migrations', HISTORY).map(toApplied)
}

function readTransferStates(file: string): string[] {
  const sql = `SELECT state FROM ${TRANSFER_STATE}`
  const states = reading(file, (driver) => rowsOf<{ state: string }>(driver, TRANSFER_STATE, sql), BUSY_TIMEOUT_MS)
  return states.map(({ state }) => state)
}

/** The rows of a query; none when there is no such table. */
function rowsOf<Row>(driver: SqliteDriver, table: string, sql: string): Row[] {
  const found = driver.prepare(`SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?`).get(table)
  return found === undefined ? [] : driver.prepare<[], Row>(sql).all()
}

function toApplied(row: MigrationRow): AppliedMigration {
  return {
    name: row.migration_name,
    checksum: row.checksum,
    isFinished: row.finished_at !== null,
    isRolledBack: row.rolled_back_at !== null,
  }
}
