/**
 * What a value is, whichever database holds it. Other types are refused: there is no form of them that both databases
 * give back as they got it (jsonb reorders keys, SQLite keeps a decimal as a double).
 */
export type Kind = 'text' | 'integer' | 'boolean' | 'real' | 'time' | 'bytes'

/**
 * A value in its canonical form, the same for both databases: text as it is, integers in decimal, `t` and `f`, real
 * numbers as JavaScript writes them, times as `2026-01-02T03:04:05.678Z`, bytes in base64, null.
 */
export type Value = string | null

/** A row in canonical form, in the order of its table's columns. */
export type Row = readonly Value[]

/** A primary key in canonical form, in the order of the table's key. */
export type Key = readonly string[]

export interface Column {
  readonly name: string
  readonly kind: Kind
}

export interface Table {
  readonly name: string
  readonly columns: readonly Column[]
  /** Indexes into `columns`. */
  readonly key: readonly number[]
  /** The unique constraints beside the key, as indexes into `columns`. */
  readonly uniques: readonly (readonly number[])[]
}

/** What happened to a row of the source: read the row to see what it is now. */
export interface Change {
  /** Where the entry stands in the log; ascending, but not in the order of the commits. */
  readonly seq: string
  readonly table: string
  readonly key: Key
}

/** What a catalog says of a table, before it is known whether it can be transferred. */
export interface TableFacts {
  readonly name: string
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly key: readonly string[]
  readonly uniques: readonly (readonly string[])[]
}

/** Tables that are no data: Prisma's history, and what a transfer itself leaves while it runs. */
const BOOKKEEPING = /^(?:_prisma_migrations$|_gator_transfer|sqlite_)/

export function isBookkeeping(table: string): boolean {
  return BOOKKEEPING.test(table)
}

export function keyOf(table: Table, row: Row): Key {
  return table.key.map((index) => row[index] ?? '')
}

/** A key as text: equal for equal keys alone. */
export function keyText(key: Key): string {
  return JSON.stringify(key)
}

export function namesOf(table: Table, indexes: readonly number[]): string[] {
  return indexes.map((index) => columnAt(table, index).name)
}

export function columnAt(table: Table, index: number): Column {
  const column = table.columns[index]
  if (!column) throw new Error(`${table.name} has no column ${index}`)
  return column
}
