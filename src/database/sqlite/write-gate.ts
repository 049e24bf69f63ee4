import { setTimeout as delay } from 'node:timers/promises'
import type { SqliteConnection } from './connection.js'
import { isBusy, transactionClosed, writeLockTimeout } from './errors.js'
import { FifoLock } from './fifo-lock.js'
import type { SqliteObserver } from './observer.js'
import { WriteTransaction } from './write-transaction.js'

export interface WriteGateOptions {
  /** How long a write waits, in the queue of this process and for SQLite's lock together. */
  readonly busyTimeoutMs: number
  readonly openConnection: () => SqliteConnection
  readonly observer: SqliteObserver
}

// Constant, not growing: SQLite has no queue, so whoever backs off loses to whoever does not.
const LOCK_POLL_MS = 1

/** The one way to the write connection of a process: a queue, then SQLite's write lock, then an exclusive lease. */
export class WriteGate {
  readonly #options: WriteGateOptions
  readonly #lock = new FifoLock()
  #connection: SqliteConnection
  #isClosed = false

  constructor(options: WriteGateOptions) {
    this.#options = options
    this.#connection = options.openConnection()
  }

  /**
   * Waits for the lease and for SQLite's write lock, without blocking the event loop, and begins an immediate
   * transaction. The caller must commit it or roll it back.
   * @throws DriverAdapterError of kind SocketTimeout after the busy timeout; nothing was written
   */
  async begin(): Promise<WriteTransaction> {
    this.#assertOpen()
    const start = performance.now()
    const release = await this.#lock.acquire(this.#options.busyTimeoutMs)
    if (!release) throw this.#refused(start)
    try {
      await this.#beginImmediate(start)
    } catch (error) {
      release()
      throw error
    }
    return new WriteTransaction(this.#connection, (isConnectionClean) => {
      try {
        if (!isConnectionClean) this.#replaceConnection('it stayed in a transaction')
      } finally {
        release()
      }
    })
  }

  /** Waits for the transaction that is open, if any, then closes the connection. Later calls of begin() fail. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#lock.acquire(this.#options.busyTimeoutMs)
    this.#connection.close()
  }

  async #beginImmediate(start: number): Promise<void> {
    for (;;) {
      this.#assertOpen()
      try {
        this.#connection.control('BEGIN IMMEDIATE')
        return
      } catch (error) {
        if (!isBusy(error)) throw error
      }
      if (performance.now() - start >= this.#options.busyTimeoutMs) throw this.#refused(start)
      await delay(LOCK_POLL_MS)
    }
  }

  #assertOpen(): void {
    if (this.#isClosed) throw transactionClosed('The database is closed.')
  }

  #refused(start: number): Error {
    const waitedMs = performance.now() - start
    this.#options.observer.onLockTimeout?.({ waitedMs })
    return writeLockTimeout(waitedMs)
  }

  #replaceConnection(reason: string): void {
    this.#options.observer.onWriterReplaced?.({ reason })
    const broken = this.#connection
    try {
      broken.close()
    } finally {
      this.#connection = this.#options.openConnection()
    }
  }
}
