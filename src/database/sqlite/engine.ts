import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { SqlQuery, SqlResultSet } from '@prisma/driver-adapter-utils'
import { type ConnectionOptions, SqliteConnection } from './connection.js'
import { type OpenDriver, openBetterSqlite3 } from './driver.js'
import { diskFull, isBusy, writeQueueFull } from './errors.js'
import { freeBytes } from './free-space.js'
import { DatabaseIdentity, FileIdentity } from './file-identity.js'
import { GroupCommitter } from './group-committer.js'
import { harmless, type SqliteObserver } from './observer.js'
import { Reader } from './reader.js'
import { openTurnstile, type Turnstile } from './turnstile.js'
import { watch, type WatchdogOptions } from './watchdog.js'
import { WriteGate } from './write-gate.js'
import type { WriteTransaction } from './write-transaction.js'

export interface SqliteEngineOptions extends Partial<WatchdogOptions> {
  /** Path of the database file; it and its folder are made when they are missing. */
  readonly file: string
  /** The files that the path must lead to, as `DatabaseIdentity` spells them: those that other processes have open. */
  readonly expectedFiles?: string | undefined
  /** How long a write waits for the lock before it is refused. The wait never blocks the event loop. */
  readonly busyTimeoutMs: number
  readonly synchronous: 'NORMAL' | 'FULL'
  /** See {@link PragmaOptions.autocheckpointPages}. */
  readonly autocheckpointPages?: number | undefined
  /** How many writes of this process may wait for the lock; one more is refused at once. */
  readonly writeQueueLimit?: number
  /** The queue of all processes that write to the file; without one, only this process' writes are in order. */
  readonly turnstile?: Turnstile
  readonly observer?: SqliteObserver
  readonly openDriver?: OpenDriver
}

const OPEN_RETRY_MS = 5
export const DEFAULT_WRITE_QUEUE_LIMIT = 1_024
export const DEFAULT_IDLE_TIMEOUT_MS = 1_000
export const DEFAULT_TRANSACTION_TIMEOUT_MS = 5_000

interface Parts {
  readonly gate: WriteGate
  readonly committer: GroupCommitter
  readonly readConnection: SqliteConnection
  readonly reader: Reader
  readonly watchdog: WatchdogOptions
  readonly writeQueueLimit: number
  readonly observer: SqliteObserver
  readonly assertUsable: () => void
  readonly file: string
}

/**
 * One process' access to an SQLite file that other processes write to as well: reads on a read-only connection, every
 * write in an immediate transaction on the one write connection, which is leased to one transaction at a time. Single
 * writes that wait together are committed together.
 */
export class SqliteEngine {
  private constructor(private readonly parts: Parts) {}

  /**
   * Opens the connections. Another process that changes the journal mode at this moment is waited for.
   * @throws UnsafeSqliteVersionError, PragmaMismatchError, the driver's error, or SQLITE_READONLY_DBMOVED when the path
   * names another file than the one that is expected
   */
  static async open(options: SqliteEngineOptions): Promise<SqliteEngine> {
    const { file, busyTimeoutMs, synchronous, autocheckpointPages } = options
    const { openDriver = openBetterSqlite3 } = options
    const observer = harmless(options.observer ?? {})
    const connect = (role: ConnectionOptions['role']) =>
      SqliteConnection.open({ file, synchronous, autocheckpointPages, role, observer, openDriver })
    mkdirSync(dirname(file), { recursive: true })
    const { turnstile = openTurnstile } = options
    const existing = existsSync(file) ? new FileIdentity(file) : undefined
    existing?.remember()
    const identity = new DatabaseIdentity(file)
    const assertUsable = () => identity.assertUnchanged()
    const gate = await retryWhileBusy(busyTimeoutMs, () => {
      return new WriteGate({
        busyTimeoutMs,
        openConnection: () => connect('writer'),
        turnstile,
        assertUsable,
        observer,
      })
    })
    const readConnection = await retryWhileBusy(busyTimeoutMs, () => connect('reader'))
    identity.remember(options.expectedFiles)
    // One that was replaced in this moment may be open here, there, or on both connections.
    existing?.assertUnchanged()
    return new SqliteEngine({
      gate,
      committer: new GroupCommitter(gate, busyTimeoutMs, observer),
      readConnection,
      reader: new Reader(readConnection, busyTimeoutMs),
      watchdog: {
        idleTimeoutMs: options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS,
        transactionTimeoutMs: options.transactionTimeoutMs ?? DEFAULT_TRANSACTION_TIMEOUT_MS,
      },
      writeQueueLimit: options.writeQueueLimit ?? DEFAULT_WRITE_QUEUE_LIMIT,
      observer,
      assertUsable,
      file,
    })
  }

  /** @throws when the database file was replaced or removed since it was opened; a write would be refused then */
  assertUsable(): void {
    this.parts.assertUsable()
  }

  /** Runs reads on the reading connection, in one turn of the event loop; it may be tried again (see {@link Reader}). */
  read<T>(work: (connection: SqliteConnection) => T): Promise<T> {
    return this.parts.reader.run(work)
  }

  async query(query: SqlQuery): Promise<SqlResultSet> {
    return (await this.isRead(query.sql))
      ? this.parts.reader.run((connection) => connection.query(query))
      : this.write((transaction) => transaction.query(query))
  }

  async execute(query: SqlQuery): Promise<number> {
    return (await this.isRead(query.sql))
      ? this.parts.reader.run((connection) => connection.execute(query))
      : this.write((transaction) => transaction.execute(query))
  }

  /** Runs a single write, and answers its rows as {@link SqliteConnection.plainRows} does, once it is committed. */
  writePlain(sql: string, values: readonly unknown[]): Promise<readonly unknown[][]> {
    return this.write((transaction) => transaction.plainRows(sql, values))
  }

  /** Runs several statements as one transaction. */
  async executeScript(script: string): Promise<void> {
    const transaction = await this.begin()
    try {
      transaction.executeScript(script)
      await transaction.commit()
    } finally {
      transaction.rollback()
    }
  }

  /**
   * Makes a write that changes nothing, and waits for its turn like any other.
   * @param minFreeBytes that must be left on the disk: the probe is smaller than most writes
   * @throws SQLITE_FULL with less, and whatever a write is refused with
   */
  async probeWrite(minFreeBytes: number): Promise<void> {
    if (freeBytes(dirname(this.parts.file)) < minFreeBytes) throw diskFull()
    const transaction = await this.begin()
    try {
      transaction.touch()
      await transaction.commit()
    } finally {
      transaction.rollback()
    }
  }

  /** Begins an immediate transaction (see {@link WriteGate.begin}), which the watchdog ends if its owner does not. */
  async begin(): Promise<WriteTransaction> {
    this.admit()
    const transaction = await this.parts.gate.begin()
    watch(transaction, this.parts.watchdog, this.parts.observer)
    return transaction
  }

  /** How many writes of this process wait for the lock. */
  get waitingWrites(): number {
    return this.parts.gate.waiting + this.parts.committer.waiting
  }

  /** @throws the refusal of a write that comes when as many wait as may; whoever asks early saves the way down here */
  admit(): void {
    const { writeQueueLimit, observer } = this.parts
    if (this.waitingWrites < writeQueueLimit) return
    observer.onRefused?.({ reason: 'queue-full', waitedMs: 0 })
    throw writeQueueFull(writeQueueLimit)
  }

  async close(): Promise<void> {
    // The write connection last: the last one to close checkpoints, and only a writer can.
    this.parts.readConnection.close()
    await this.parts.gate.close()
  }

  /** Routes by what SQLite says of the statement, never by its text. */
  private isRead(sql: string): Promise<boolean> {
    return this.parts.reader.run((connection) => connection.isReadonly(sql))
  }

  private write<T>(run: (transaction: WriteTransaction) => T): Promise<T> {
    this.admit()
    return this.parts.committer.submit(run)
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
