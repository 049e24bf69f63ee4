import { CAPTURE, CHANGES, DATABASE_MOVED_CODE, literal, OWN_PREFIX, quoted, SEAL } from '../bookkeeping.js'
import { columnAt, type Table } from '../model.js'
import type { SqliteDriver } from '../../database/sqlite/driver.js'

const EVENTS = ['INSERT', 'UPDATE', 'DELETE'] as const

export const CREATE_LOG = `CREATE TABLE ${CHANGES} (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  table_name TEXT NOT NULL,
  key TEXT NOT NULL
)`

/** The triggers that write every change of a table into the log: of a row, and of its key. */
export function captureTriggers(table: Table): string[] {
  const keyOfRow = (row: 'OLD' | 'NEW') => {
    const values = table.key.map((index) => `CAST(${row}.${quoted(columnAt(table, index).name)} AS TEXT)`)
    return `json_array(${values.join(', ')})`
  }
  const log = (row: 'OLD' | 'NEW', where: string) =>
    `INSERT INTO ${CHANGES} (table_name, key) SELECT ${literal(table.name)}, ${keyOfRow(row)}${where};`
  const bodies = {
    INSERT: log('NEW', ''),
    UPDATE: log('OLD', '') + log('NEW', ` WHERE ${keyOfRow('NEW')} <> ${keyOfRow('OLD')}`),
    DELETE: log('OLD', ''),
  }
  return EVENTS.map(
    (event) =>
      `CREATE TRIGGER ${triggerName(CAPTURE, event, table)} AFTER ${event} ON ${quoted(table.name)} BEGIN ${bodies[event]} END`,
  )
}

/**
 * Runs `work`, within a transaction, without the triggers of the schema: what those wrote on the source arrives as rows.
 * They are gone and back in the same transaction, so that they are there whatever happens.
 */
export function withoutTriggers(driver: SqliteDriver, work: () => void): void {
  const triggers = driver
    .prepare<[string], { name: string; sql: string }>(
      `SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND NOT name GLOB ? || '*'`,
    )
    .all(OWN_PREFIX)
  for (const { name } of triggers) driver.exec(`DROP TRIGGER ${quoted(name)}`)
  work()
  for (const { sql } of triggers) driver.exec(sql)
}

/** The triggers that refuse every write to a table. */
export function sealTriggers(table: Table, targetLabel: string): string[] {
  // The code stands in front: SQLite has none of a trigger's own.
  const message = `${DATABASE_MOVED_CODE}: this database was moved to ${targetLabel}`
  return EVENTS.map(
    (event) =>
      `CREATE TRIGGER ${triggerName(SEAL, event, table)} BEFORE ${event} ON ${quoted(table.name)} ` +
      `BEGIN SELECT RAISE(ABORT, ${literal(message)}); END`,
  )
}

/** The names of the triggers that a table must have to be captured, as the catalog has them. */
export function captureTriggerNames(table: Table): string[] {
  return EVENTS.map((event) => plainName(CAPTURE, event, table))
}

function triggerName(prefix: string, event: string, table: Table): string {
  return quoted(plainName(prefix, event, table))
}

function plainName(prefix: string, event: string, { name }: Table): string {
  return `${prefix}_${event.toLowerCase()}_${name}`
}
