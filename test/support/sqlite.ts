import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'

const migrations = join(process.cwd(), 'prisma', 'migrations', 'sqlite')

/** A temporary folder with a migrated SQLite file, removed by `remove`. */
export interface TemporarySqlite {
  readonly folder: string
  readonly file: string
  remove(): void
}

/** Makes an SQLite file with the schema of the checked-in migrations, by their own SQL. */
export function temporarySqlite(): TemporarySqlite {
  const folder = mkdtempSync(join(tmpdir(), 'gator-test-'))
  const file = join(folder, 'gator.db')
  const database = new BetterSqlite3(file)
  database.pragma('journal_mode = WAL')
  for (const name of readdirSync(migrations, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    database.exec(readFileSync(join(migrations, name.name, 'migration.sql'), 'utf8'))
  }
  database.close()
  return { folder, file, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
