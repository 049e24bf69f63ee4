import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { SqlQuery, SqlResultSet } from '@prisma/driver-adapter-utils'
import { type ConnectionOptions, SqliteConnection } from './connection.js'
import { type OpenDriver, openBetterSqlite3 } from './driver.js'
import { isBusy } from './errors.js'
import type { SqliteObserver } from './observer.js'
import { Reader } from './reader.js'
import { WriteGate } from './write-gate.js'
import type { WriteTransaction } from './write-transaction.js'

export interface SqliteEngineOptions {
  /** Path of the database file; it and its folder are made when they are missing. */
  readonly file: string
  /** How long a write waits for the lock before it is refused. The wait never blocks the event loop. */
  readonly busyTimeoutMs: number
  readonly synchronous: 'NORMAL' | 'FULL'
  readonly observer?: SqliteObserver
  readonly openDriver?: OpenDriver
}

const OPEN_RETRY_MS = 5

/**
 * One process' access to an SQLite file that other processes write to as well: reads on a read-only connection, every
 * write in an immediate transaction on the one write connection, which is leased to one transaction at a time.
 */
export class SqliteEngine {
  private constructor(
    private readonly gate: WriteGate,
    private readonly readConnection: SqliteConnection,
    private readonly reader: Reader,
  ) {}

  /**
   * Opens the connections. Another process that changes the journal mode at this moment is waited for.
   * @throws UnsafeSqliteVersionError, PragmaMismatchError, or the driver's error
   */
  static async open(options: SqliteEngineOptions): Promise<SqliteEngine> {
    const { observer = {}, openDriver = openBetterSqlite3, ...rest } = options
    const connect = (role: ConnectionOptions['role']) => SqliteConnection.open({ ...rest, role, observer, openDriver })
    mkdirSync(dirname(options.file), { recursive: true })
    const gate = await retryWhileBusy(options.busyTimeoutMs, () => {
      return new WriteGate({ busyTimeoutMs: rest.busyTimeoutMs, openConnection: () => connect('writer'), observer })
    })
    const readConnection = await retryWhileBusy(options.busyTimeoutMs, () => connect('reader'))
    return new SqliteEngine(gate, readConnection, new Reader(readConnection, options.busyTimeoutMs))
  }

  query(query: SqlQuery): Promise<SqlResultSet> {
    return this.isRead(query.sql)
      ? this.reader.run(query, (connection) => connection.query(query))
      : this.write((transaction) => transaction.query(query))
  }

  execute(query: SqlQuery): Promise<number> {
    return this.isRead(query.sql)
      ? this.reader.run(query, (connection) => connection.execute(query))
      : this.write((transaction) => transaction.execute(query))
  }

  executeScript(script: string): Promise<void> {
    return this.write((transaction) => transaction.executeScript(script))
  }

  /** Begins an immediate transaction; see {@link WriteGate.begin}. */
  begin(): Promise<WriteTransaction> {
    return this.gate.begin()
  }

  async close(): Promise<void> {
    // The write connection last: the last one to close checkpoints, and only a writer can.
    this.readConnection.close()
    await this.gate.close()
  }

  /** Routes by what SQLite says of the statement, never by its text. */
  private isRead(sql: string): boolean {
    return this.readConnection.isReadonly(sql)
  }

  private async write<T>(work: (transaction: WriteTransaction) => T): Promise<T> {
    const transaction = await this.gate.begin()
    try {
      const result = work(transaction)
      await transaction.commit()
      return result
    } finally {
      transaction.rollback()
    }
  }
}

async function retryWhileBusy<T>(timeoutMs: number, open: () => T): Promise<T> {
  const start = performance.now()
  for (;;) {
    try {
      return open()
    } catch (error) {
      if (!isBusy(error) || performance.now() - start >= timeoutMs) throw error
    }
    await delay(OPEN_RETRY_MS)
  }
}
