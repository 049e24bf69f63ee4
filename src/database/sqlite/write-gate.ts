import { setTimeout as delay } from 'node:timers/promises'
import type { SqliteConnection } from './connection.js'
import { isBusy, transactionClosed, writeLockTimeout } from './errors.js'
import { FifoLock } from '../fifo-lock.js'
import type { TransactionKind } from '../observer.js'
import type { LockHolder, SqliteObserver } from './observer.js'
import type { Turnstile } from './turnstile.js'
import { WriteTransaction } from './write-transaction.js'

export interface WriteGateOptions {
  /** How long a write waits: for its turn, in the queue of this process and for SQLite's lock together. */
  readonly busyTimeoutMs: number
  readonly openConnection: () => SqliteConnection
  readonly turnstile: Turnstile
  /** Called before a transaction of a caller's own, and around each COMMIT; throws when the connection must not be written to any more. */
  readonly assertUsable: () => void
  readonly observer: SqliteObserver
}

/** The exclusive right to the write connection of this process, and the process' turn among the others. */
export interface WriteLease {
  /** Waits for SQLite's lock and begins an immediate transaction; see {@link WriteGate.begin}. */
  begin(since: number): Promise<WriteTransaction>
  /** Who had the turn before, if that was long. */
  readonly heldBy: LockHolder | undefined
  /** Gives the lease on; to call it again does nothing. */
  release(): void
}

// Constant, not growing: SQLite has no queue, so whoever backs off loses to whoever does not.
const LOCK_POLL_MS = 1
// To ask another process for the turn is no wait for a lock: with a busy timeout of 0 nobody could write otherwise.
const TURN_GRACE_MS = 50

/**
 * The one way to the write connection of a process: a turn in the queue of all processes, a lock within this one, then
 * SQLite's own write lock; together an exclusive lease of the connection.
 */
export class WriteGate {
  readonly #options: WriteGateOptions
  readonly #lock = new FifoLock()
  #connection: SqliteConnection | undefined
  #isClosed = false
  #waiting = 0

  constructor(options: WriteGateOptions) {
    this.#options = options
    this.#connection = options.openConnection()
  }

  /** How many callers of begin() wait; who asks for the lease alone counts those whom it serves. */
  get waiting(): number {
    return this.#waiting
  }

  /**
   * Waits for the lease and for SQLite's write lock, without blocking the event loop, and begins an immediate
   * transaction. The caller must commit it or roll it back; the lease goes on with it.
   * @throws DriverAdapterError of kind SocketTimeout after the busy timeout; nothing was written
   */
  async begin(): Promise<WriteTransaction> {
    const since = performance.now()
    this.#waiting += 1
    try {
      const lease = await this.lease(since)
      try {
        // All that its owner will do would be in vain. A single write is done sooner than this has been looked at.
        this.#options.assertUsable()
        return await this.#beginLeased(since, { kind: 'transaction', heldBy: lease.heldBy }, () => lease.release())
      } catch (error) {
        lease.release()
        throw error
      }
    } finally {
      this.#waiting -= 1
    }
  }

  /**
   * Waits for the lease alone. Whoever has it may begin several transactions, one after another, and must release it.
   * @param since when the wait began, on the clock of `performance.now()`; the busy timeout counts from there
   * @throws DriverAdapterError of kind SocketTimeout after the busy timeout
   */
  async lease(since: number): Promise<WriteLease> {
    this.#assertOpen()
    const { release, heldBy } = await this.#turnAndLock(since)
    const begin = (begunSince: number) => this.#beginLeased(begunSince, { kind: 'write', heldBy }, () => undefined)
    return { begin, heldBy, release }
  }

  /** Waits for the transaction that is open, if any, then closes the connection. Later calls of begin() fail. */
  async close(): Promise<void> {
    this.#isClosed = true
    const release = await this.#lock.acquire(this.#options.busyTimeoutMs)
    this.#options.turnstile.close()
    this.#connection?.close()
    this.#connection = undefined
    // Whoever still waits is told that the database is closed.
    release?.()
  }

  // The turn first: who asked for it first, in whatever process, gets it first.
  async #turnAndLock(since: number): Promise<Pick<WriteLease, 'heldBy' | 'release'>> {
    const turn = await this.#options.turnstile.enter(Math.max(TURN_GRACE_MS, this.#left(since)))
    if (!turn) throw this.#refused(since)
    const unlock = await this.#lock.acquire(this.#left(since))
    if (!unlock) {
      turn.leave()
      throw this.#refused(since)
    }
    const release = () => {
      unlock()
      turn.leave()
    }
    return { heldBy: turn.heldBy, release }
  }

  async #beginLeased(
    since: number,
    origin: { readonly kind: TransactionKind; readonly heldBy: LockHolder | undefined },
    onEnd: () => void,
  ): Promise<WriteTransaction> {
    const { observer } = this.#options
    const { kind } = origin
    const leasedAt = performance.now()
    const connection = await this.#beginImmediate(since, leasedAt)
    const begunAt = performance.now()
    observer.onLockAcquired?.({ ...origin, waitedMs: begunAt - since, lockMs: begunAt - leasedAt })
    return new WriteTransaction(connection, this.#options.assertUsable, (isConnectionClean, outcome) => {
      observer.onTransactionEnd?.({ kind, outcome, heldMs: performance.now() - begunAt })
      try {
        if (!isConnectionClean) this.#dropConnection('it stayed in a transaction')
      } finally {
        onEnd()
      }
    })
  }

  async #beginImmediate(since: number, leasedAt: number): Promise<SqliteConnection> {
    for (;;) {
      this.#assertOpen()
      try {
        this.#connection ??= this.#open()
        this.#connection.control('BEGIN IMMEDIATE')
        return this.#connection
      } catch (error) {
        // Nobody would end it.
        if (this.#connection?.isInTransaction) this.#dropConnection('a BEGIN that failed left it in a transaction')
        if (!isBusy(error)) throw error
      }
      if (this.#left(since) <= 0) throw this.#refused(since, performance.now() - leasedAt)
      await delay(LOCK_POLL_MS)
    }
  }

  // What an open connection writes is looked at before its COMMIT; another one must not be opened on another file.
  #open(): SqliteConnection {
    this.#options.assertUsable()
    return this.#options.openConnection()
  }

  #left(since: number): number {
    return Math.max(0, since + this.#options.busyTimeoutMs - performance.now())
  }

  #assertOpen(): void {
    if (this.#isClosed) throw transactionClosed('The database is closed.')
  }

  #refused(since: number, lockMs = 0): Error {
    const waitedMs = performance.now() - since
    this.#options.observer.onRefused?.({ reason: 'lock-timeout', waitedMs, lockMs })
    return writeLockTimeout(waitedMs)
  }

  // The next transaction opens another: if that fails, it alone is refused, and the one after it tries again.
  #dropConnection(reason: string): void {
    const broken = this.#connection
    this.#connection = undefined
    this.#options.observer.onWriterReplaced?.({ reason })
    try {
      broken?.close()
    } catch {
      // It cannot be used any more, closed or not.
    }
  }
}
