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
const COMMENTS = /--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$)/g
const KEYWORD = /^[a-z]+/i
// SQLite carries out many a PRAGMA when it is prepared, explained or not.
const EXPLAIN = /^explain(?:\s+query\s+plan)?\b/i

/** Those that answer what is so; the same names with a value would change it. */
const ANSWERING_PRAGMAS =
  'application_id|auto_vacuum|automatic_index|busy_timeout|cache_size|cache_spill|cell_size_check|collation_list|' +
  'compile_options|data_version|database_list|defer_foreign_keys|encoding|foreign_keys|freelist_count|fullfsync|' +
  'function_list|ignore_check_constraints|journal_mode|journal_size_limit|legacy_alter_table|locking_mode|' +
  'max_page_count|mmap_size|module_list|page_count|page_size|pragma_list|query_only|read_uncommitted|' +
  'recursive_triggers|reverse_unordered_selects|schema_version|secure_delete|synchronous|temp_store|threads|' +
  'trusted_schema|user_version|wal_autocheckpoint'
/** Those that inspect the schema or the content, and take what they inspect as their value. */
const INSPECTING_PRAGMAS =
  'table_info|table_xinfo|table_list|index_info|index_xinfo|index_list|foreign_key_list|foreign_key_check|' +
  'quick_check|integrity_check'
// The value of an inspecting one may be written in any way: it changes nothing.
const HARMLESS_PRAGMA = new RegExp(
  `^pragma\\s+(?:\\w+\\s*\\.\\s*)?(?:(?:${ANSWERING_PRAGMAS})|(?:${INSPECTING_PRAGMAS})(?:\\s*[=(][^;]*)?)\\s*;?\\s*$`,
  'i',
)

/**
 * Why a raw statement is refused, or null when it is not. Where a statement that is let through runs (reader or writer)
 * is decided by SQLite itself, which knows whether it is read-only; this is only about statements that SQLite calls
 * read-only although they change the state of the connection, or that would end a transaction behind the engine's back.
 * Of the PRAGMAs only those pass that are known to change nothing, spelt plainly.
 */
export function refusalOf(sql: string): string | null {
  const statement = sql.replace(LEADING_NOISE, '')
  const keyword = KEYWORD.exec(statement)?.[0].toUpperCase() ?? ''
  if (REFUSED_KEYWORDS.has(keyword)) {
    return `${keyword} is not allowed in a raw query: transactions and attached databases belong to the engine`
  }
  if (keyword !== 'PRAGMA' && keyword !== 'EXPLAIN') return null
  // Not before: what looks like a comment may stand in a string of another statement.
  const plain = statement.replace(COMMENTS, ' ').replace(EXPLAIN, '').trimStart()
  if (!/^pragma\b/i.test(plain) || HARMLESS_PRAGMA.test(plain)) return null
  return 'A PRAGMA that changes a setting is not allowed in a raw query: the engine sets and checks them'
}
