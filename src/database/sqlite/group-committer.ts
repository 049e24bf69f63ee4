import { setImmediate as nextTurn } from 'node:timers/promises'
import { isLockTimeout, isOutcomeUnknown } from './errors.js'
import type { SqliteObserver } from './observer.js'
import type { WriteGate, WriteLease } from './write-gate.js'
import type { WriteTransaction } from './write-transaction.js'

interface Write {
  /** Runs the statement; may be called again, in another transaction, when the first one came to nothing. */
  readonly run: (transaction: WriteTransaction) => unknown
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
  readonly enqueuedAt: number
}

/** Tells a write how it went; called after the COMMIT. */
type Settle = () => void

/** A batch holds the lock, and the event loop, while it runs: it is ended after so many writes, or so long. */
const MAX_BATCH = 64
const MAX_BATCH_MS = 4
/** After so long another process gets its turn, if one waits. */
const MAX_TURN_MS = 4
const SAVEPOINT = 'write'

/**
 * Lets single writes that wait at the same time share one transaction and so one commit. There is no delay: what has
 * arrived in one turn of the event loop, or while the lock was waited for, goes together. When one of them fails all are
 * undone and made again, each with a savepoint, so that a bad one is refused alone; each is answered after the COMMIT, never
 * before; when that fails, every write is tried again in a transaction of its own.
 */
export class GroupCommitter {
  readonly #pending: Write[] = []
  #isFlushing = false

  /**
   * @param busyTimeoutMs how long a write may wait for the lock
   * @param observer told of each commit, and of each write that is refused
   */
  constructor(
    private readonly gate: WriteGate,
    private readonly busyTimeoutMs: number,
    private readonly observer: SqliteObserver,
  ) {}

  /** How many writes wait for the lock. */
  get waiting(): number {
    return this.#pending.length
  }

  /**
   * Runs a write and resolves with its result once it is committed.
   * @throws what the write threw, or the gate's refusal; nothing was written then
   */
  submit<T>(run: (transaction: WriteTransaction) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = resolve as (result: unknown) => void
      this.#pending.push({ run, resolve: settle, reject, enqueuedAt: performance.now() })
      if (this.#isFlushing) return
      this.#isFlushing = true
      // After the sockets that are ready have been read: what they bring is part of the batch.
      setImmediate(() => void this.#flush())
    })
  }

  async #flush(): Promise<void> {
    for (let oldest = this.#pending[0]; oldest; oldest = this.#pending[0]) {
      try {
        const lease = await this.gate.lease(oldest.enqueuedAt)
        try {
          await this.#commitAll(lease)
        } finally {
          lease.release()
        }
      } catch (error) {
        this.#refuse(error)
      }
      // A backlog must not keep the event loop: between two turns it serves whoever else waits.
      if (this.#pending.length > 0) await nextTurn()
    }
    this.#isFlushing = false
  }

  // One batch after another, for as long as a turn may last, if those who were just answered write again at once: to hand
  // the turn to another process costs more than a commit does. The event loop is not waited for: other processes would
  // wait with it.
  async #commitAll(lease: WriteLease): Promise<void> {
    const start = performance.now()
    for (let oldest = this.#pending[0]; oldest; oldest = this.#pending[0]) {
      await this.#commitBatch(lease, await lease.begin(oldest.enqueuedAt))
      if (performance.now() - start >= MAX_TURN_MS) return
      await microtasksDone()
    }
  }

  // Nearly every write is good: a savepoint for each costs a twentieth of a PUT.
  async #commitBatch(lease: WriteLease, transaction: WriteTransaction): Promise<void> {
    const writes: Write[] = []
    const results: unknown[] = []
    const start = performance.now()
    try {
      while (writes.length < MAX_BATCH && performance.now() - start < MAX_BATCH_MS) {
        const write = this.#pending.shift()
        if (!write) break
        writes.push(write)
        results.push(write.run(transaction))
      }
      await transaction.commit()
    } catch (error) {
      transaction.rollback()
      const haveRun = results.length === writes.length
      if (haveRun) await this.#settleFailedCommit(lease, writes, error)
      else if (writes.length === 1) writes[0]?.reject(error)
      else await this.#commitGuarded(lease, writes)
      return
    }
    this.observer.onBatch?.({ size: writes.length })
    for (const [index, write] of writes.entries()) write.resolve(results[index])
  }

  // A statement that fails may leave something behind (ON CONFLICT FAIL), which only a savepoint takes back.
  async #commitGuarded(lease: WriteLease, writes: readonly Write[]): Promise<void> {
    const settles: Settle[] = []
    let transaction: WriteTransaction | undefined
    try {
      transaction = await lease.begin(Math.min(...writes.map(({ enqueuedAt }) => enqueuedAt)))
      for (const write of writes) settles.push(runOne(write, transaction))
      await transaction.commit()
    } catch (error) {
      transaction?.rollback()
      await this.#settleFailedCommit(lease, writes, error)
      return
    }
    this.observer.onBatch?.({ size: writes.length })
    for (const settle of settles) settle()
  }

  async #settleFailedCommit(lease: WriteLease, writes: readonly Write[], error: unknown): Promise<void> {
    if (isOutcomeUnknown(error)) for (const write of writes) write.reject(error)
    // Nothing was acknowledged and nothing was kept, so the writes may run again, each for itself.
    else for (const write of writes) await this.#commitAlone(lease, write)
  }

  async #commitAlone(lease: WriteLease, write: Write): Promise<void> {
    try {
      const transaction = await lease.begin(write.enqueuedAt)
      try {
        const result = write.run(transaction)
        await transaction.commit()
        this.observer.onBatch?.({ size: 1 })
        write.resolve(result)
      } finally {
        transaction.rollback()
      }
    } catch (error) {
      write.reject(error)
    }
  }

  // Those who have waited as long as they may are refused; whoever came later goes on waiting. Any other failure to
  // begin would be everybody's.
  #refuse(error: unknown): void {
    const now = performance.now()
    const latest = isLockTimeout(error) ? now - this.busyTimeoutMs : Infinity
    const refused = this.#pending.filter((write, index) => index === 0 || write.enqueuedAt <= latest)
    this.#pending.splice(0, refused.length)
    for (const [index, write] of refused.entries()) {
      // The gate has told of the first, for whom it waited.
      if (index > 0 && isLockTimeout(error)) {
        this.observer.onRefused?.({ reason: 'lock-timeout', waitedMs: now - write.enqueuedAt })
      }
      write.reject(error)
    }
  }
}

/** Resolves when the promises that were settled before have told whoever awaits them, and those whoever awaits those. */
function microtasksDone(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve))
}

function runOne(write: Write, transaction: WriteTransaction): Settle {
  try {
    transaction.savepoint('SAVEPOINT', SAVEPOINT)
    const result = write.run(transaction)
    transaction.savepoint('RELEASE', SAVEPOINT)
    return () => write.resolve(result)
  } catch (error) {
    undo(transaction)
    return () => write.reject(error)
  }
}

// When SQLite has rolled back the whole transaction there is no savepoint left, and COMMIT will say so.
function undo(transaction: WriteTransaction): void {
  if (!transaction.isOpen) return
  transaction.savepoint('ROLLBACK TO', SAVEPOINT)
  transaction.savepoint('RELEASE', SAVEPOINT)
}
