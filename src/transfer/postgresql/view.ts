import { CHANGES, quoted } from '../bookkeeping.js'
import { ValueError } from '../canonical.js'
import { type Change, columnAt, type Key, keyOf, namesOf, type Row, type Table } from '../model.js'
import type { SourceView } from '../ports.js'
import { RowError } from '../transfer-errors.js'
import { readTypes, typeKey } from './catalog.js'
import type { PostgresqlConnection } from './connect.js'
import { fromPostgresql } from './values.js'

/** What a connection sees: at each call, or at the moment of its transaction's snapshot. */
export class PostgresqlView implements SourceView {
  #types: ReadonlyMap<string, string> | undefined

  constructor(private readonly connection: PostgresqlConnection) {}

  async count(table: Table): Promise<number> {
    return Number(await this.connection.value(`SELECT count(*) FROM ${quoted(table.name)}`))
  }

  async page(table: Table, after: Key | null, limit: number): Promise<Row[]> {
    const key = namesOf(table, table.key).map(quoted).join(', ')
    const types = await this.keyTypes(table)
    const values = types.map((type, index) => `$${index + 2}::${type}`)
    const where = after === null ? '' : `WHERE (${key}) > (${values.join(', ')})`
    const sql = `SELECT ${columnsOf(table)} FROM ${quoted(table.name)} ${where} ORDER BY ${key} LIMIT $1`
    return decodeAll(table, await this.connection.rows(sql, [limit, ...(after ?? [])]))
  }

  async rows(table: Table, keys: readonly Key[]): Promise<Row[]> {
    if (keys.length === 0) return []
    const sql = `SELECT ${columnsOf(table)} FROM ${quoted(table.name)} WHERE ${await this.keyCondition(table, 1)}`
    return decodeAll(table, await this.connection.rows(sql, keyArrays(table, keys)))
  }

  async changes(after: string | null, limit: number): Promise<Change[]> {
    const sql = `SELECT seq, table_name, key FROM ${CHANGES} WHERE seq > $1 ORDER BY seq LIMIT $2`
    const rows = await this.connection.rows(sql, [after ?? '0', limit])
    return rows.map(([seq, table, key]) => ({
      seq: seq ?? '',
      table: table ?? '',
      key: JSON.parse(key ?? '[]') as string[],
    }))
  }

  async greatest(table: Table, column: string): Promise<string | null> {
    const name = quoted(table.name)
    const highest = await this.connection.value(`SELECT max(${quoted(column)}) FROM ${name}`)
    const sequence = await this.connection.value('SELECT pg_get_serial_sequence($1, $2)', [name, column])
    const given =
      sequence === null
        ? null
        : await this.connection.value(`SELECT CASE WHEN is_called THEN last_value END FROM ${sequence}`)
    const known = [highest, given].filter((value) => value !== null)
    return known.sort((a, b) => (BigInt(a) < BigInt(b) ? 1 : -1))[0] ?? null
  }

  /** A condition for the keys in arrays, one for each column of the key, from parameter `first` on. */
  async keyCondition(table: Table, first: number): Promise<string> {
    const names = namesOf(table, table.key).map(quoted)
    const arrays = (await this.keyTypes(table)).map((type, index) => `$${first + index}::${type}[]`)
    // The planner takes the index for this form, however little it knows of the table.
    if (names.length === 1) return `${names[0]} = ANY(${arrays[0]})`
    return `(${names.join(', ')}) IN (SELECT * FROM unnest(${arrays.join(', ')}))`
  }

  async types(table: Table, indexes: readonly number[]): Promise<string[]> {
    this.#types ??= await readTypes(this.connection)
    const types = this.#types
    return namesOf(table, indexes).map((column) => types.get(typeKey(table.name, column)) ?? 'text')
  }

  private keyTypes(table: Table): Promise<string[]> {
    return this.types(table, table.key)
  }
}

/** Keys as parameters: an array for each column of the key. */
export function keyArrays(table: Table, keys: readonly Key[]): string[][] {
  return table.key.map((_column, place) => keys.map((key) => key[place] ?? ''))
}

function columnsOf(table: Table): string {
  return table.columns.map(({ name }) => quoted(name)).join(', ')
}

function decodeAll(table: Table, rows: readonly (readonly (string | null)[])[]): Row[] {
  return rows.map((raw) => {
    let index = 0
    try {
      const row: Row = table.columns.map(({ kind }, at) => fromPostgresql(kind, raw[(index = at)] ?? null))
      return row
    } catch (error) {
      if (!(error instanceof ValueError)) throw error
      throw new RowError(table, keyOf(table, raw), `${columnAt(table, index).name}: ${error.message}`, { cause: error })
    }
  })
}
