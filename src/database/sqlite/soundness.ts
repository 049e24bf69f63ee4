import type { SqliteDriver } from './driver.js'
import { sqliteCodeOf } from './errors.js'

/** What SQLite itself finds wrong with a database: nothing, when it is sound. It reads all of it. */
export function findingsOf(driver: SqliteDriver, check: 'integrity_check' | 'foreign_key_check'): string[] {
  return rowsOf(driver, check)
    .filter((finding) => finding !== 'ok')
    .map((finding) => `${check}: ${finding}`)
}

// Damage may be such that the check itself cannot go on.
function rowsOf(driver: SqliteDriver, check: string): string[] {
  try {
    const rows = driver.pragma(check) as Readonly<Record<string, unknown>>[]
    // The integrity check puts its findings into the lines of one row.
    return rows.flatMap((row) => Object.values(row).join(' ').split('\n'))
  } catch (error) {
    if (!sqliteCodeOf(error)?.startsWith('SQLITE_CORRUPT')) throw error
    return [(error as Error).message]
  }
}
