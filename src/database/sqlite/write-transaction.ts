import { setTimeout as delay } from 'node:timers/promises'
import type { SqlQuery, SqlResultSet } from '@prisma/driver-adapter-utils'
import type { SqliteConnection } from './connection.js'
import { commitOutcomeUnknown, isBusy, isOutcomeUnknown, sqliteCodeOf, transactionClosed } from './errors.js'
import type { SqliteOutcome } from './observer.js'

const COMMIT_ATTEMPTS = 4
const COMMIT_RETRY_MS = 1
/** What SQLite answers when it cannot write a frame of the WAL. */
const WRITE_FAILED = /^SQLITE_(FULL|IOERR_WRITE)$/

/**
 * An immediate transaction on the write connection, and the exclusive lease of that connection: as long as it is open,
 * no other statement of this process can reach the connection. It ends exactly once (by commit, by rollback, or because
 * SQLite itself rolled it back) and the lease goes on to the next in line with it, whatever fails.
 */
export class WriteTransaction {
  readonly #connection: SqliteConnection
  readonly #assertUsable: () => void
  readonly #onEnd: (isConnectionClean: boolean, outcome: SqliteOutcome) => void
  #endedBecause: string | null = null
  #lastUsedAt = performance.now()
  #stopWatching: (() => void) | undefined

  /**
   * @param assertUsable throws when what is committed now would not be seen by others
   * @param onEnd called once; with false when the connection could not leave the transaction and must be replaced
   */
  constructor(
    connection: SqliteConnection,
    assertUsable: () => void,
    onEnd: (isConnectionClean: boolean, outcome: SqliteOutcome) => void,
  ) {
    this.#connection = connection
    this.#assertUsable = assertUsable
    this.#onEnd = onEnd
  }

  get isOpen(): boolean {
    return this.#endedBecause === null
  }

  /** When the last statement ran, on the clock of `performance.now()`. */
  get lastUsedAt(): number {
    return this.#lastUsedAt
  }

  /** Has `listener` called when the transaction ends; it takes the place of one that was given before. */
  onceEnded(listener: () => void): void {
    this.#stopWatching = listener
  }

  query(query: SqlQuery): SqlResultSet {
    return this.#run(() => this.#connection.query(query))
  }

  execute(query: SqlQuery): number {
    return this.#run(() => this.#connection.execute(query))
  }

  plainRows(sql: string, values: readonly unknown[]): readonly unknown[][] {
    return this.#run(() => this.#connection.plainRows(sql, values))
  }

  executeScript(script: string): void {
    this.#run(() => this.#connection.executeScript(script))
  }

  /** Writes a page as it is: nothing changes, but the COMMIT has something to write. */
  touch(): void {
    const version = this.query({ sql: 'PRAGMA user_version', args: [], argTypes: [] }).rows[0]?.[0]
    this.executeScript(`PRAGMA user_version = ${Number(version)}`)
  }

  savepoint(action: 'SAVEPOINT' | 'RELEASE' | 'ROLLBACK TO', name: string): void {
    this.#run(() => this.#connection.control(`${action} ${name}`))
  }

  /**
   * Makes the transaction's writes durable. When it throws, none of them was made, unless the error is that of
   * {@link commitOutcomeUnknown}: then they may have been, and must not be made again.
   */
  async commit(): Promise<void> {
    this.#assertOpen()
    this.#endedBecause = 'it is being committed'
    try {
      await this.#commitOrThrow()
    } catch (error) {
      if (isOutcomeUnknown(error)) this.#finish('nobody knows whether its COMMIT took effect', 'unknown')
      else this.#finish('its COMMIT failed and it was rolled back', 'failed')
      throw error
    }
    this.#finish('it was committed', 'commit')
  }

  /** Undoes the transaction for a reason of somebody else's, which whoever uses it later is told. */
  expire(because: string): void {
    if (this.isOpen) this.#finish(because, 'watchdog')
  }

  /** Undoes the transaction. Harmless when it has ended already, because time-outs can race with their owner. */
  rollback(): void {
    if (this.isOpen) this.#finish('it was rolled back', 'rollback')
  }

  // In WAL mode the holder of the write lock commits without waiting for anyone, but for an exclusive lock that a
  // foreign process takes in passing: SQLite then keeps the transaction open, and COMMIT may be repeated.
  async #commitOrThrow(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      // A file that was replaced while the transaction was open takes the COMMIT, and nobody sees it.
      this.#assertUsable()
      try {
        this.#connection.control('COMMIT')
        break
      } catch (error) {
        if (this.#mayHaveTakenEffect(error)) throw commitOutcomeUnknown(error)
        if (!isBusy(error) || attempt === COMMIT_ATTEMPTS) throw error
      }
      await delay(COMMIT_RETRY_MS)
    }
    try {
      this.#assertUsable()
    } catch (error) {
      // Replaced before the COMMIT or after it: nobody can tell.
      throw commitOutcomeUnknown(error)
    }
  }

  // While the transaction is open nothing has happened. When it is not, SQLite has undone it. That a frame could not be
  // written means that the last one, which makes the others count, was not; after any other error (of the sync, say) the
  // WAL may hold all of it, and the recovery after a crash would find it.
  #mayHaveTakenEffect(error: unknown): boolean {
    return !this.#connection.isInTransaction && !WRITE_FAILED.test(sqliteCodeOf(error) ?? '')
  }

  #run<T>(work: () => T): T {
    this.#assertOpen()
    try {
      return work()
    } catch (error) {
      // A full disk or an I/O error makes SQLite roll back by itself: a later COMMIT must not be acknowledged.
      if (!this.#connection.isInTransaction) this.#finish('SQLite rolled it back after an error', 'failed')
      throw error
    } finally {
      // A statement that took long was no idleness.
      this.#lastUsedAt = performance.now()
    }
  }

  #assertOpen(): void {
    if (this.#endedBecause !== null) throw transactionClosed(`The transaction has ended: ${this.#endedBecause}.`)
  }

  #finish(because: string, outcome: SqliteOutcome): void {
    this.#endedBecause = because
    this.#stopWatching?.()
    this.#onEnd(this.#leave(), outcome)
  }

  #leave(): boolean {
    try {
      if (this.#connection.isInTransaction) this.#connection.control('ROLLBACK')
      return !this.#connection.isInTransaction
    } catch {
      return false
    }
  }
}
