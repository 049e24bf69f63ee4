/** Names that SQLite keeps for itself: they go with the table that they belong to. */
const OWN_PREFIX = 'sqlite_'

/** Views and triggers first: a table's removal must not fail on one that names it. */
const KINDS = ['trigger', 'view', 'table']

/**
 * Drops every table, view and trigger in one transaction: other processes see all of it or nothing. The journal mode
 * and `user_version` stay.
 * @param {import('better-sqlite3').Database} database
 */
export function dropEverything(database) {
  database.pragma('foreign_keys = OFF')
  database.transaction(() => KINDS.forEach((kind) => dropAll(database, kind))).immediate()
  if (hasSequences(database)) dropSequences(database)
}

/** The table in which SQLite counts the numbers of AUTOINCREMENT stays when the tables are gone, and is not empty to Prisma. */
function hasSequences(database) {
  return database.prepare(`SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'`).get() !== undefined
}

/** No statement drops it. Its page is left over by that, until the file is written anew. */
function dropSequences(database) {
  database.unsafeMode(true)
  database.pragma('writable_schema = ON')
  database.exec(`DELETE FROM sqlite_master WHERE name = 'sqlite_sequence'`)
  database.pragma('writable_schema = RESET')
  database.unsafeMode(false)
  database.exec('VACUUM')
}

/**
 * @param {import('better-sqlite3').Database} database
 * @param {string} kind
 */
function dropAll(database, kind) {
  for (const name of namesOf(database, kind)) {
    // A virtual table takes its hidden tables along: what was listed may be gone by now.
    database.exec(`DROP ${kind.toUpperCase()} IF EXISTS "${name.replaceAll('"', '""')}"`)
  }
}

/**
 * Virtual tables come first, since their hidden tables cannot be dropped by themselves.
 * @returns {string[]}
 */
function namesOf(database, kind) {
  const rows = database
    .prepare(`SELECT name FROM sqlite_master WHERE type = ? ORDER BY sql LIKE 'CREATE VIRTUAL%' DESC`)
    .pluck()
    .all(kind)
  return rows.filter((name) => !name.startsWith(OWN_PREFIX))
}
