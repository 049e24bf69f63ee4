/** Statements that would take a connection out of the engine's hands. */
const REFUSED_KEYWORDS: ReadonlySet<string> = new Set([
  'BEGIN',
  'COMMIT',
  'END',
  'ROLLBACK',
  'SAVEPOINT',
  'RELEASE',
  'ATTACH',
  'DETACH',
  'VACUUM',
])

const LEADING_NOISE = /^(?:\s|;|\u{FEFF}|--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$))+/u
const KEYWORD = /^[a-z]+/i
// A PRAGMA with a value, in either of its two spellings, writes or reconfigures; the query form is left through, and so
// are the table-valued ones that only inspect the schema.
const PRAGMA_WITH_VALUE = /^pragma\s+(?:\w+\s*\.\s*)?(\w+)\s*[=(]/i
const INSPECTING_PRAGMAS =
  /^(?:table_x?info|table_list|index_(?:x?info|list)|foreign_key_(?:list|check)|(?:quick|integrity)_check)$/i
const CHANGING_WITHOUT_VALUE =
  /^pragma\s+(?:\w+\s*\.\s*)?(?:wal_checkpoint|optimize|incremental_vacuum|shrink_memory)\b/i

/**
 * Why a raw statement is refused, or null when it is not. Where a statement that is let through runs (reader or writer)
 * is decided by SQLite itself, which knows whether it is read-only; this is only about statements that SQLite calls
 * read-only although they change the state of the connection, or that would end a transaction behind the engine's back.
 */
export function refusalOf(sql: string): string | null {
  const statement = sql.replace(LEADING_NOISE, '')
  const keyword = KEYWORD.exec(statement)?.[0].toUpperCase() ?? ''
  if (REFUSED_KEYWORDS.has(keyword)) {
    return `${keyword} is not allowed in a raw query: transactions and attached databases belong to the engine`
  }
  if (keyword !== 'PRAGMA') return null
  const name = PRAGMA_WITH_VALUE.exec(statement)?.[1]
  const changes = (name !== undefined && !INSPECTING_PRAGMAS.test(name)) || CHANGING_WITHOUT_VALUE.test(statement)
  return changes
    ? 'A PRAGMA that changes a setting is not allowed in a raw query: the engine sets and checks them'
    : null
}
