import { ColumnTypeEnum } from '@prisma/driver-adapter-utils'

/** Type codes of PostgreSQL's catalogue (pg_type.oid). */
const CHAR_OID = 18
const TEXT_OID = 25

/**
 * Makes the adapter answer what the engine expects of a native connection.
 * @param {any} adapter of `@prisma/adapter-pg`
 */
export function presentAsNative(adapter) {
  readCharColumns(adapter)
  // The adapter's own cuts a script at each semicolon, within texts, comments and function bodies too. Sent whole, as
  // the native engine sends it, a script is also one transaction: a migration that fails leaves nothing behind.
  const pool = adapter.underlyingDriver()
  adapter.executeScript = async (script) => {
    await pool.query(script).catch((error) => adapter.onError(error))
  }
  return adapter
}

/**
 * Adds the type `"char"`, which the engine's catalogue queries have and the adapter refuses: such a column passes the
 * adapter as text and is then declared a character. The engine panics at a text where it expects a character, which
 * it meets as soon as a table has a CHECK constraint.
 * @param {any} adapter
 */
function readCharColumns(adapter) {
  const { performIO, queryRaw } = adapter
  /** @type {WeakMap<object, number[]>} the places of a query's "char" columns */
  const charColumns = new WeakMap()
  adapter.performIO = async (query) => {
    const result = await performIO.call(adapter, query)
    charColumns.set(query, replaceCharOid(result.fields ?? []))
    return result
  }
  adapter.queryRaw = async (query) => {
    const result = await queryRaw.call(adapter, query)
    for (const column of charColumns.get(query) ?? []) result.columnTypes[column] = ColumnTypeEnum.Character
    return result
  }
}

/**
 * @param {import('pg').FieldDef[]} fields changed in place
 * @returns {number[]} where a "char" was
 */
function replaceCharOid(fields) {
  const places = fields.flatMap(({ dataTypeID }, place) => (dataTypeID === CHAR_OID ? [place] : []))
  for (const place of places) fields[place].dataTypeID = TEXT_OID
  return places
}
