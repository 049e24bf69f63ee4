import { unlinkSync } from 'node:fs'
import { openBetterSqlite3, type SqliteDriver } from '../../database/sqlite/driver.js'
import { isBusy, sqliteCodeOf } from '../../database/sqlite/errors.js'
import { FileIdentity } from '../../database/sqlite/file-identity.js'
import { quoted, STATE } from '../bookkeeping.js'
import { columnAt, type Key, keyOf, namesOf, type Row, type Table } from '../model.js'
import type { Batch, Target } from '../ports.js'
import { RowError, TransferError } from '../transfer-errors.js'
import { autoincrementTables, readTables } from './catalog.js'
import { hasTable, identityOf, inTransaction, openSqlite } from './connect.js'
import { withoutTriggers } from './triggers.js'
import { toSqlite } from './values.js'
import { keyValues, SqliteView } from './view.js'

/** An SQLite file that is filled. */
export class SqliteTarget implements Target {
  readonly identity: string
  readonly label: string
  readonly #driver: SqliteDriver
  readonly #view: SqliteView
  #lock: SqliteDriver | undefined

  /** @param isDryRun with which the file is opened for reading alone */
  constructor(
    private readonly file: string,
    private readonly busyTimeoutMs: number,
    isDryRun = false,
  ) {
    this.identity = identityOf(file)
    this.label = `file:${file}`
    this.#driver = isDryRun
      ? openBetterSqlite3(file, { readonly: true, timeoutMs: busyTimeoutMs })
      : openSqlite(file, 'writer', busyTimeoutMs)
    // Rows arrive in the order of the keys, not of the references; the last step checks them all.
    this.#driver.pragma('foreign_keys = OFF')
    this.#view = new SqliteView(this.#driver)
  }

  tables(): Promise<Table[]> {
    return new Promise((resolve) => resolve(readTables(this.#driver)))
  }

  count(table: Table): Promise<number> {
    return this.#view.count(table)
  }

  rows(table: Table, keys: readonly Key[]): Promise<Row[]> {
    return this.#view.rows(table, keys)
  }

  // An empty SQLite file beside the database, locked while this process lives, however it dies.
  lock(): Promise<void> {
    return new Promise((resolve) => {
      const lock = openBetterSqlite3(this.#lockFile, { readonly: false, timeoutMs: 0 })
      this.#lock = lock
      const opened = new FileIdentity(this.#lockFile)
      opened.remember()
      lockOrRefuse(lock, this.label)
      // Whoever had it until now has removed it: others would lock the next one.
      opened.assertUnchanged()
      resolve()
    })
  }

  loadState(): Promise<string | null> {
    if (!hasTable(this.#driver, STATE)) return Promise.resolve(null)
    return Promise.resolve(this.#driver.prepare<[], string>(`SELECT state FROM ${STATE}`).pluck().get() ?? null)
  }

  async write(batches: readonly Batch[], state: string): Promise<void> {
    await this.#transaction(() => {
      withoutTriggers(this.#driver, () => {
        for (const batch of batches) this.#replace(batch)
      })
      this.#saveState(state)
    })
  }

  async suspendForeignKeys(stateOf: (statements: readonly string[]) => string): Promise<void> {
    await this.#transaction(() => this.#saveState(stateOf([])))
  }

  async restoreForeignKeys(_statements: readonly string[], state: string): Promise<void> {
    await this.#transaction(() => {
      const orphans = this.#driver.prepare<[], { table: string; parent: string }>('PRAGMA foreign_key_check').all()
      if (orphans[0]) {
        throw new TransferError(
          `${orphans.length} rows refer to one that is not there, the first in ${orphans[0].table} to ${orphans[0].parent}.`,
        )
      }
      this.#saveState(state)
    })
  }

  sequences(): Promise<{ table: string; column: string }[]> {
    const isAutoincrement = new Set(autoincrementTables(this.#driver))
    const tables = readTables(this.#driver).filter(({ name }) => isAutoincrement.has(name))
    return Promise.resolve(
      tables.map((table) => ({ table: table.name, column: columnAt(table, table.key[0] ?? 0).name })),
    )
  }

  async advance(table: string, _column: string, value: string): Promise<void> {
    await this.#transaction(() => {
      this.#driver.prepare('DELETE FROM sqlite_sequence WHERE name = ?').run(table)
      this.#driver.prepare('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)').run(table, BigInt(value))
    })
  }

  // The service has no statistics made either: its queries have an index each.
  analyze(): Promise<void> {
    return Promise.resolve()
  }

  async empty(tables: readonly Table[]): Promise<void> {
    await this.#transaction(() =>
      withoutTriggers(this.#driver, () => {
        for (const { name } of tables) this.#driver.exec(`DELETE FROM ${quoted(name)}`)
      }),
    )
  }

  async dropState(): Promise<void> {
    await this.#transaction(() => this.#driver.exec(`DROP TABLE IF EXISTS ${STATE}`))
  }

  objectionTo(): null {
    return null
  }

  close(): Promise<void> {
    this.#driver.close()
    // Nobody can be waiting for it: whoever finds it locked is refused at once.
    if (this.#lock?.inTransaction) unlinkSync(this.#lockFile)
    this.#lock?.close()
    return Promise.resolve()
  }

  get #lockFile(): string {
    return `${this.file}-transfer-lock`
  }

  #transaction(work: () => unknown): Promise<unknown> {
    return inTransaction(this.#driver, this.busyTimeoutMs, work)
  }

  // Rows that stand in the way of a unique constraint are older than those that come: their own changes are in the log.
  #replace({ table, keys, rows }: Batch): void {
    const name = quoted(table.name)
    const where = namesOf(table, table.key).map((column) => `${quoted(column)} = ?`)
    const remove = this.#driver.prepare(`DELETE FROM ${name} WHERE ${where.join(' AND ')}`)
    for (const key of keys) remove.run(...keyValues(table, key))
    const columns = table.columns.map((column) => quoted(column.name))
    const insert = this.#driver.prepare(
      `INSERT OR REPLACE INTO ${name} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    )
    for (const row of rows) {
      try {
        insert.run(...row.map((value, index) => toSqlite(columnAt(table, index).kind, value)))
      } catch (error) {
        if (!sqliteCodeOf(error)?.startsWith('SQLITE_CONSTRAINT')) throw error
        throw new RowError(table, keyOf(table, row), (error as Error).message, { cause: error })
      }
    }
  }

  #saveState(state: string): void {
    this.#driver.exec(`CREATE TABLE IF NOT EXISTS ${STATE} (id INTEGER PRIMARY KEY, state TEXT NOT NULL)`)
    this.#driver.prepare(`INSERT OR REPLACE INTO ${STATE} (id, state) VALUES (1, ?)`).run(state)
  }
}

function lockOrRefuse(lock: SqliteDriver, label: string): void {
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    if (!isBusy(error)) throw error
    throw new TransferError(`Another transfer to ${label} is running.`, { cause: error })
  }
}
