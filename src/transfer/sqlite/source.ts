import type { SqliteDriver } from '../../database/sqlite/driver.js'
import { CAPTURE, CHANGES, literal, MARK, quoted, SEAL } from '../bookkeeping.js'
import type { Change, Key, Row, Table } from '../model.js'
import type { Mark, Source, SourceView } from '../ports.js'
import { TransferError } from '../transfer-errors.js'
import { readTables } from './catalog.js'
import { hasTable, identityOf, inTransaction, openSqlite } from './connect.js'
import { CREATE_LOG, captureTriggerNames, captureTriggers, sealTriggers } from './triggers.js'
import { SqliteView } from './view.js'

/** An SQLite file in service. Reads on a connection of its own, batch by batch: a long read would pin the WAL. */
export class SqliteSource implements Source {
  readonly identity: string
  readonly label: string
  readonly #reader: SqliteDriver
  readonly #view: SqliteView
  #writer: SqliteDriver | undefined

  constructor(
    private readonly file: string,
    private readonly busyTimeoutMs: number,
  ) {
    this.identity = identityOf(file)
    this.label = `file:${file}`
    this.#reader = openSqlite(file, 'reader', busyTimeoutMs)
    this.#view = new SqliteView(this.#reader)
  }

  tables(): Promise<Table[]> {
    return new Promise((resolve) => resolve(readTables(this.#reader)))
  }

  count(table: Table): Promise<number> {
    return this.#view.count(table)
  }

  rows(table: Table, keys: readonly Key[]): Promise<Row[]> {
    return this.#view.rows(table, keys)
  }

  page(table: Table, after: Key | null, limit: number): Promise<Row[]> {
    return this.#view.page(table, after, limit)
  }

  changes(after: string | null, limit: number): Promise<Change[]> {
    return this.#view.changes(after, limit)
  }

  greatest(table: Table, column: string): Promise<string | null> {
    return this.#view.greatest(table, column)
  }

  mark(): Promise<Mark | null> {
    return Promise.resolve(readMark(this.#reader))
  }

  async capture(mark: Mark, tables: readonly Table[]): Promise<void> {
    await this.#write((writer) => {
      const present = readMark(writer)
      if (present && present.target !== mark.target) {
        throw new TransferError(`A transfer to ${present.targetLabel} has just begun.`)
      }
      if (!present) {
        writer.exec(CREATE_LOG)
        for (const statement of tables.flatMap(captureTriggers)) writer.exec(statement)
      }
      saveMark(writer, mark)
    })
  }

  async forget(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return
    await this.#write((writer) => {
      const remove = writer.prepare(`DELETE FROM ${CHANGES} WHERE seq = ?`)
      for (const { seq } of changes) remove.run(BigInt(seq))
    })
  }

  async snapshot<T>(work: (view: SourceView) => Promise<T>): Promise<T> {
    this.#reader.exec('BEGIN')
    try {
      // The moment is that of the first read.
      this.#reader.prepare('SELECT count(*) FROM sqlite_master').get()
      return await work(this.#view)
    } finally {
      if (this.#reader.open && this.#reader.inTransaction) this.#reader.exec('COMMIT')
    }
  }

  async stopWrites(
    tables: readonly Table[],
    work: (view: SourceView, seal: () => Promise<void>) => Promise<void>,
  ): Promise<number> {
    let start = NaN
    await this.#write(async (writer) => {
      start = performance.now()
      assertCaptured(writer, tables)
      await work(new SqliteView(writer), () => {
        seal(writer, tables)
        return Promise.resolve()
      })
    })
    return performance.now() - start
  }

  async removeCapture(): Promise<void> {
    await this.#write((writer) => {
      dropTriggers(writer, CAPTURE)
      writer.exec(`DROP TABLE IF EXISTS ${CHANGES}`)
    })
  }

  async restore(): Promise<void> {
    await this.#write((writer) => {
      dropTriggers(writer, CAPTURE)
      dropTriggers(writer, SEAL)
      writer.exec(`DROP TABLE IF EXISTS ${CHANGES}; DROP TABLE IF EXISTS ${MARK}`)
    })
  }

  close(): Promise<void> {
    this.#reader.close()
    this.#writer?.close()
    return Promise.resolve()
  }

  // Opened when it is needed: a dry run never does.
  #write<T>(work: (writer: SqliteDriver) => T | Promise<T>): Promise<T> {
    this.#writer ??= openSqlite(this.file, 'writer', this.busyTimeoutMs)
    const writer = this.#writer
    return inTransaction(writer, this.busyTimeoutMs, () => work(writer))
  }
}

function readMark(driver: SqliteDriver): Mark | null {
  if (!hasTable(driver, MARK)) return null
  const mark = driver.prepare<[], string>(`SELECT mark FROM ${MARK}`).pluck().get()
  return mark === undefined ? null : (JSON.parse(mark) as Mark)
}

function saveMark(driver: SqliteDriver, mark: Mark): void {
  driver.exec(`CREATE TABLE IF NOT EXISTS ${MARK} (id INTEGER PRIMARY KEY, mark TEXT NOT NULL)`)
  driver.exec(`INSERT OR REPLACE INTO ${MARK} (id, mark) VALUES (1, ${literal(JSON.stringify(mark))})`)
}

function seal(driver: SqliteDriver, tables: readonly Table[]): void {
  const mark = readMark(driver)
  if (!mark) throw new TransferError('The mark of the transfer is gone: run with --abort, and start again.')
  for (const statement of tables.flatMap((table) => sealTriggers(table, mark.targetLabel))) driver.exec(statement)
  saveMark(driver, { ...mark, sealedAt: new Date().toISOString() })
}

// SQLite drops a table's triggers with the table, and a migration may redefine it: then changes were missed.
function assertCaptured(driver: SqliteDriver, tables: readonly Table[]): void {
  const present = new Set(triggersOf(driver, CAPTURE))
  if (tables.flatMap(captureTriggerNames).every((name) => present.has(name))) return
  throw new TransferError('Triggers of the transfer were removed while it ran: run with --abort, and start again.')
}

function triggersOf(driver: SqliteDriver, prefix: string): string[] {
  return driver
    .prepare<[string], string>(`SELECT name FROM sqlite_master WHERE type = 'trigger' AND name GLOB ? || '*'`)
    .pluck()
    .all(prefix)
}

function dropTriggers(driver: SqliteDriver, prefix: string): void {
  for (const name of triggersOf(driver, prefix)) driver.exec(`DROP TRIGGER ${quoted(name)}`)
}
