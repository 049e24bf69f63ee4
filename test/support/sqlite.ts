import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { migrationScript } from './migrations.js'

/** A temporary folder with a place for an SQLite file, removed by `remove`. */
export interface TemporarySqlite {
  readonly folder: string
  readonly file: string
  remove(): void
}

/** A folder of the caller's own, in which the file is not there yet. */
export function emptySqlite(): TemporarySqlite {
  const folder = mkdtempSync(join(tmpdir(), 'gator-test-'))
  return { folder, file: join(folder, 'gator.db'), remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** A folder of the caller's own with a migrated file. */
export function temporarySqlite(): TemporarySqlite {
  const temporary = emptySqlite()
  migrateSqlite(temporary.file)
  return temporary
}

/** Makes a migrated SQLite file. */
export function migrateSqlite(file: string): void {
  const database = new BetterSqlite3(file)
  try {
    database.pragma('journal_mode = WAL')
    database.exec(migrationScript('sqlite'))
  } finally {
    database.close()
  }
}
