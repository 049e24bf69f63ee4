import type { SqliteDriver, SqliteDriverStatement } from '../../database/sqlite/driver.js'
import { CHANGES, quoted } from '../bookkeeping.js'
import { ValueError } from '../canonical.js'
import { type Change, type Column, columnAt, type Key, keyOf, namesOf, type Row, type Table } from '../model.js'
import type { SourceView } from '../ports.js'
import { RowError } from '../transfer-errors.js'
import { fromSqlite, toSqlite } from './values.js'

interface ChangeRow {
  readonly seq: bigint
  readonly table_name: string
  readonly key: string
}

const REPLACEMENT = '\u{FFFD}'

/** What a connection sees: at each call, or all at one moment if the connection is in a transaction. */
export class SqliteView implements SourceView {
  readonly #statements = new Map<string, SqliteDriverStatement>()

  constructor(private readonly driver: SqliteDriver) {}

  count(table: Table): Promise<number> {
    const [row] = this.#all(`SELECT count(*) FROM ${quoted(table.name)}`, [])
    return Promise.resolve(Number(row?.[0]))
  }

  page(table: Table, after: Key | null, limit: number): Promise<Row[]> {
    const key = namesOf(table, table.key).map(quoted).join(', ')
    const where = after === null ? '' : ` WHERE (${key}) > (${table.key.map(() => '?').join(', ')})`
    const sql = `SELECT ${columnsOf(table)} FROM ${quoted(table.name)}${where} ORDER BY ${key} LIMIT ?`
    const rows = this.#all(sql, [...(after === null ? [] : keyValues(table, after)), limit])
    return attempt(() => rows.map((row) => this.#decode(table, row)))
  }

  rows(table: Table, keys: readonly Key[]): Promise<Row[]> {
    const key = namesOf(table, table.key).map((name) => `${quoted(name)} = ?`)
    const sql = `SELECT ${columnsOf(table)} FROM ${quoted(table.name)} WHERE ${key.join(' AND ')}`
    return attempt(() =>
      keys.flatMap((one) => this.#all(sql, keyValues(table, one)).map((row) => this.#decode(table, row))),
    )
  }

  changes(after: string | null, limit: number): Promise<Change[]> {
    const sql = `SELECT seq, table_name, key FROM ${CHANGES} WHERE seq > ? ORDER BY seq LIMIT ?`
    const rows = this.#prepare(sql)
      .raw(false)
      .all(BigInt(after ?? 0), limit) as ChangeRow[]
    return Promise.resolve(
      rows.map(({ seq, table_name: table, key }) => ({ seq: String(seq), table, key: JSON.parse(key) as string[] })),
    )
  }

  greatest(table: Table, column: string): Promise<string | null> {
    const [row] = this.#all(`SELECT max(${quoted(column)}) FROM ${quoted(table.name)}`, [])
    const highest = row?.[0] as bigint | null | undefined
    const given = this.#givenOut(table.name)
    const greatest = [highest, given].filter((value) => typeof value === 'bigint').sort((a, b) => (a < b ? 1 : -1))[0]
    return Promise.resolve(greatest === undefined ? null : String(greatest))
  }

  /** The last number that AUTOINCREMENT gave out: the row may be gone since. */
  #givenOut(table: string): unknown {
    const hasSequences = this.#all(`SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'`, []).length > 0
    if (!hasSequences) return undefined
    return this.#all('SELECT seq FROM sqlite_sequence WHERE name = ?', [table])[0]?.[0]
  }

  #decode(table: Table, raw: readonly unknown[]): Row {
    const row = decode(table, raw)
    for (const [index, value] of row.entries()) {
      if (value?.includes(REPLACEMENT)) this.#assertSameBytes(table, keyOf(table, row), columnAt(table, index), value)
    }
    return row
  }

  // SQLite holds any bytes as text; the driver puts this character in the place of those that are none.
  #assertSameBytes(table: Table, key: Key, { name, kind }: Column, value: string): void {
    if (kind !== 'text') return
    const where = namesOf(table, table.key).map((column) => `${quoted(column)} = ?`)
    const sql = `SELECT CAST(${quoted(name)} AS BLOB) FROM ${quoted(table.name)} WHERE ${where.join(' AND ')}`
    const bytes = this.#all(sql, keyValues(table, key))[0]?.[0]
    if (Buffer.isBuffer(bytes) && bytes.equals(Buffer.from(value))) return
    throw new RowError(table, key, `${name} is not valid UTF-8`)
  }

  #all(sql: string, values: readonly unknown[]): unknown[][] {
    return this.#prepare(sql).all(...values) as unknown[][]
  }

  #prepare(sql: string): SqliteDriverStatement {
    const known = this.#statements.get(sql)
    if (known) return known
    const statement = this.driver.prepare<unknown[], unknown>(sql).safeIntegers().raw(true)
    this.#statements.set(sql, statement)
    return statement
  }
}

export function keyValues(table: Table, key: Key): unknown[] {
  return table.key.map((index, place) => toSqlite(columnAt(table, index).kind, key[place] ?? null))
}

function columnsOf(table: Table): string {
  return table.columns.map(({ name }) => quoted(name)).join(', ')
}

function decode(table: Table, raw: readonly unknown[]): Row {
  let index = 0
  try {
    const row: Row = table.columns.map(({ kind }, at) => fromSqlite(kind, raw[(index = at)]))
    return row
  } catch (error) {
    if (!(error instanceof ValueError)) throw error
    const key = keyOf(table, raw.map(String))
    throw new RowError(table, key, `${columnAt(table, index).name}: ${error.message}`, { cause: error })
  }
}

/** A result, or what was thrown instead, as a promise: nothing is thrown past whoever awaits it. */
function attempt<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(work()))
}
