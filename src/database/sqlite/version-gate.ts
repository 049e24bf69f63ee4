import type { SqliteDriver } from './driver.js'

/**
 * The first release without the WAL-reset bug (SQLite 3.7.0 to 3.51.2): two connections in different processes that
 * write and checkpoint at the same instant could lose a committed transaction. See https://www.sqlite.org/wal.html,
 * section 11. Many processes on one file is exactly what this engine is for.
 */
export const OLDEST_SAFE_SQLITE = '3.51.3'

export class UnsafeSqliteVersionError extends Error {
  override readonly name = 'UnsafeSqliteVersionError'
  constructor(version: string) {
    super(
      `SQLite ${version} can lose committed transactions when several processes share a file (the WAL-reset bug). ` +
        `Install better-sqlite3 12.8 or newer, which brings SQLite ${OLDEST_SAFE_SQLITE} or newer.`,
    )
  }
}

/** @throws UnsafeSqliteVersionError when the linked SQLite is older than {@link OLDEST_SAFE_SQLITE} */
export function assertSafeSqliteVersion(version: string): void {
  const parts = (text: string) => text.split('.').map(Number)
  const [major = 0, minor = 0, patch = 0] = parts(version)
  const [safeMajor = 0, safeMinor = 0, safePatch = 0] = parts(OLDEST_SAFE_SQLITE)
  const order = major - safeMajor || minor - safeMinor || patch - safePatch
  if (!(order >= 0)) throw new UnsafeSqliteVersionError(version)
}

/** The version of the SQLite that a connection is linked with, such as `3.53.2`. */
export function sqliteVersion(driver: SqliteDriver): string {
  return String(driver.prepare('SELECT sqlite_version()').pluck().get())
}
