import type { SqliteDriver } from '../../database/sqlite/driver.js'
import { isBookkeeping, type Table, type TableFacts } from '../model.js'
import { toTables } from '../tables.js'
import { kindOfSqliteType } from './values.js'

interface ColumnRow {
  readonly name: string
  readonly type: string
  /** 0, or the place in the primary key from 1 on. */
  readonly pk: number
}

/** The tables of a file, as its catalog has them. */
export function readTables(driver: SqliteDriver): Table[] {
  const names = driver
    .prepare<[], string>(`SELECT name FROM sqlite_master WHERE type = 'table'`)
    .pluck()
    .all()
    .filter((name) => !isBookkeeping(name))
  return toTables(
    names.map((name) => factsOf(driver, name)),
    kindOfSqliteType,
  )
}

function factsOf(driver: SqliteDriver, name: string): TableFacts {
  // Generated columns are not listed: they follow from the others.
  const columns = driver.prepare<[string], ColumnRow>('SELECT name, type, pk FROM pragma_table_info(?)').all(name)
  const key = columns.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk)
  const indexes = driver
    .prepare<[string], string>(
      `SELECT name FROM pragma_index_list(?) WHERE "unique" = 1 AND partial = 0 AND origin <> 'pk'`,
    )
    .pluck()
    .all(name)
  const columnsOfIndex = driver
    .prepare<[string], string | null>('SELECT name FROM pragma_index_info(?) ORDER BY seqno')
    .pluck()
  return {
    name,
    columns,
    key: key.map((column) => column.name),
    uniques: indexes.map((index) => columnsOfIndex.all(index).map((column) => column ?? '')),
  }
}

/** Whether the numbers of a table's key are given out once only. */
export function autoincrementTables(driver: SqliteDriver): string[] {
  return driver
    .prepare<[], string>(`SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'`)
    .pluck()
    .all()
    .filter((name) => !isBookkeeping(name))
}
