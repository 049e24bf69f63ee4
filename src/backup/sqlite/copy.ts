import { existsSync, statSync, writeFileSync } from 'node:fs'
import { openBetterSqlite3, reading, type SqliteDriver } from '../../database/sqlite/driver.js'
import { assertSafeSqliteVersion, sqliteVersion } from '../../database/sqlite/version-gate.js'
import { BackupError } from '../backup-errors.js'
import type { BackupContent } from '../manifest.js'
import { inspectFile, tablesOf } from './inspect.js'

/** Versions of personas by their ids. */
type Versions = ReadonlyMap<string, number>

/** So many of the newest personas are looked for in the copy: enough to notice one that missed the WAL. */
const COMPARED = 1_000
// The copy needs no lock that a writer holds; what may be waited for is the recovery after a crash.
const BUSY_TIMEOUT_MS = 30_000

/**
 * Copies a live database into a new file with `VACUUM INTO`: one read transaction, no write lock. Blocks for as long as it
 * takes. The copy is checked: it is sound, and has what the live database had before and after.
 * @param onStart told how large the copy will be at most, in bytes
 * @param onCopied told when the copy is written, and about to be checked
 * @returns the version of SQLite, and what is in the copy
 * @throws BackupError when the copy is not what it should be
 */
export function copyDatabase(
  source: string,
  copy: string,
  onStart: (bytes: number) => void,
  onCopied: () => void,
): BackupContent & { readonly databaseVersion: string } {
  if (!existsSync(source)) throw new BackupError(`There is no database file ${source} to back up: check DATABASE_URL.`)
  // As private as the database; VACUUM takes an empty file for a new one.
  writeFileSync(copy, '', { flag: 'wx', mode: statSync(source).mode & 0o777 })
  const driver = openBetterSqlite3(source, { readonly: true, timeoutMs: BUSY_TIMEOUT_MS })
  try {
    const databaseVersion = sqliteVersion(driver)
    assertSafeSqliteVersion(databaseVersion)
    onStart(
      Number(driver.pragma('page_count', { simple: true })) * Number(driver.pragma('page_size', { simple: true })),
    )
    const before = newestVersions(driver)
    driver.prepare('VACUUM INTO ?').run(copy)
    const after = versionsOf(driver, [...before.keys()])
    onCopied()
    const content = inspectFile(copy)
    const copied = reading(copy, (opened) => versionsOf(opened, [...before.keys()]))
    assertNothingMissing(before, copied, after)
    return { ...content, databaseVersion }
  } finally {
    driver.close()
  }
}

/**
 * A persona that was there before the copy and is there after it is in the copy, at a version between the two.
 * @throws BackupError when one is not
 */
export function assertNothingMissing(before: Versions, copied: Versions, after: Versions): void {
  for (const [id, oldest] of before) {
    const newest = after.get(id)
    const version = copied.get(id)
    if (newest === undefined || (version !== undefined && version >= oldest && version <= newest)) continue
    throw new BackupError(
      `The copy is not what the database holds: persona ${id} has version ${version ?? '(none)'} in it, ${oldest} to ${newest} in the database.`,
    )
  }
}

function newestVersions(driver: SqliteDriver): Versions {
  if (!tablesOf(driver).includes('personas')) return new Map()
  const sql = 'SELECT id, version FROM personas ORDER BY updated_at DESC, id DESC LIMIT ?'
  return new Map(driver.prepare<[number], [string, number]>(sql).raw().all(COMPARED))
}

function versionsOf(driver: SqliteDriver, ids: readonly string[]): Versions {
  if (ids.length === 0) return new Map()
  const sql = 'SELECT id, version FROM personas WHERE id IN (SELECT value FROM json_each(?))'
  return new Map(driver.prepare<[string], [string, number]>(sql).raw().all(JSON.stringify(ids)))
}
