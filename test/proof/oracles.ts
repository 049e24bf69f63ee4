import type BetterSqlite3 from 'better-sqlite3'

type Database = BetterSqlite3.Database

interface IndexRow {
  readonly name: string
  readonly partial: number
}

/** What SQLite itself finds wrong with a database file: nothing, for a sound one. */
export function findDamage(database: Database): string[] {
  const findings = database.prepare<[], string>('PRAGMA integrity_check').pluck().all()
  const orphans = database.prepare('PRAGMA foreign_key_check').all()
  return [
    ...findings.filter((finding) => finding !== 'ok').map((finding) => `integrity_check: ${finding}`),
    ...orphans.map((orphan) => `foreign_key_check: ${JSON.stringify(orphan)}`),
    ...tablesOf(database).flatMap((table) => findMiscountedIndexes(database, table)),
  ]
}

/** Every index of a table that does not have as many entries as the table has rows. */
function findMiscountedIndexes(database: Database, table: string): string[] {
  // Not COUNT(*) itself: SQLite answers that from whichever index is smallest, whatever INDEXED BY says.
  const count = (through: string) =>
    database
      .prepare<[], number>(`SELECT TOTAL(1) FROM ${quoted(table)} ${through}`)
      .pluck()
      .get() ?? NaN
  const rows = count('NOT INDEXED')
  const indexes = database.prepare<[string], IndexRow>('SELECT name, partial FROM pragma_index_list(?)').all(table)
  return indexes
    .filter(({ partial }) => partial === 0)
    .map(({ name }) => ({ name, entries: count(`INDEXED BY ${quoted(name)}`) }))
    .filter(({ entries }) => entries !== rows)
    .map(({ name, entries }) => `index count: ${name} has ${entries} entries for ${rows} rows of ${table}`)
}

function tablesOf(database: Database): string[] {
  return database
    .prepare<[], string>(
      `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'`,
    )
    .pluck()
    .all()
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
