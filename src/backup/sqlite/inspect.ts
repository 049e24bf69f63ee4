import { reading, type SqliteDriver } from '../../database/sqlite/driver.js'
import { sqliteCodeOf } from '../../database/sqlite/errors.js'
import { findingsOf } from '../../database/sqlite/soundness.js'
import { appliedMigrationsOf } from '../../database/sqlite/sqlite-migration-store.js'
import { BackupError } from '../backup-errors.js'
import type { BackupContent } from '../manifest.js'

interface NewestRow {
  readonly id: string
  readonly version: number
  readonly updated_at: string | number
}

/** A damaged file may have thousands of findings: the first ones say enough. */
const FINDINGS_TOLD = 3

/**
 * Checks a database file that nobody else has open, as a whole: integrity, foreign keys; and answers what is in it.
 * @throws BackupError when it is not sound
 */
export function inspectFile(file: string): BackupContent {
  try {
    return reading(file, (driver) => {
      assertSound(driver, file)
      return contentOf(driver)
    })
  } catch (error) {
    const code = sqliteCodeOf(error)
    if (code === undefined) throw error
    const what = code === 'SQLITE_NOTADB' ? 'is not an SQLite database' : 'is damaged'
    throw new BackupError(`${file} ${what} (${code}: ${(error as Error).message}).`, { cause: error })
  }
}

/** The tables with rows of somebody's, and Prisma's history. */
export function tablesOf(driver: SqliteDriver): string[] {
  const sql = `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name`
  return driver.prepare<[], string>(sql).pluck().all()
}

function assertSound(driver: SqliteDriver, file: string): void {
  const findings = (['integrity_check', 'foreign_key_check'] as const).flatMap((check) => findingsOf(driver, check))
  if (findings.length === 0) return
  throw new BackupError(`${file} is damaged: ${findings.slice(0, FINDINGS_TOLD).join('; ')}.`)
}

function contentOf(driver: SqliteDriver): BackupContent {
  const tables = tablesOf(driver)
  const count = (table: string) =>
    driver
      .prepare<[], number>(`SELECT count(*) FROM ${quoted(table)}`)
      .pluck()
      .get() ?? 0
  return {
    rows: Object.fromEntries(tables.map((table) => [table, count(table)])),
    newestPersona: tables.includes('personas') ? newestPersonaOf(driver) : null,
    migrations: appliedMigrationsOf(driver)
      .filter(({ isRolledBack }) => !isRolledBack)
      .map(({ name, checksum }) => ({ name, checksum })),
  }
}

function newestPersonaOf(driver: SqliteDriver): BackupContent['newestPersona'] {
  const sql = 'SELECT id, version, updated_at FROM personas ORDER BY updated_at DESC, id DESC LIMIT 1'
  const row = driver.prepare<[], NewestRow>(sql).get()
  return row ? { id: row.id, version: row.version, updatedAt: new Date(row.updated_at).toISOString() } : null
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
