import type { DatabaseObserver, TransactionKind } from '../observer.js'

/** Why a transaction was ended from outside. */
export const WATCHDOG_REASONS = ['idle', 'too-long'] as const
export type WatchdogReason = (typeof WATCHDOG_REASONS)[number]

/** How a transaction ended: by its owner, by the watchdog, because its COMMIT or SQLite itself failed, or nobody knows. */
export const SQLITE_OUTCOMES = ['commit', 'rollback', 'watchdog', 'failed', 'unknown'] as const
export type SqliteOutcome = (typeof SQLITE_OUTCOMES)[number]

/** The worker that had the turn while another one waited, and for how long. */
export interface LockHolder {
  readonly worker: number
  readonly heldMs: number
}

export interface AcquiredLock {
  readonly kind: TransactionKind
  /** From the request of the oldest write in the transaction to its BEGIN. */
  readonly waitedMs: number
  /** How much of it was for SQLite's own lock: somebody had it who does not take part in the queue. */
  readonly lockMs: number
  /** Whose turn was waited for, if that was long. */
  readonly heldBy?: LockHolder | undefined
}

/** What the engine tells about itself. Every call is synchronous and must not throw. */
export interface SqliteObserver extends DatabaseObserver<SqliteOutcome> {
  /** A write has got the lock. */
  onLockAcquired?(event: AcquiredLock): void
  /** SQLite said of a BEGIN, a COMMIT or a read that somebody else holds a lock; the engine tries again. */
  onBusy?(event: { readonly code: string }): void
  /** So many single writes shared one commit. */
  onBatch?(event: { readonly size: number }): void
  /** The watchdog rolled a transaction back. */
  onWatchdog?(event: { readonly reason: WatchdogReason; readonly openMs: number }): void
  /** SQLite met a snapshot that was out of date. It cannot, since every transaction begins immediate. */
  onBusySnapshot?(): void
  /** The write connection was replaced, because it could not leave a transaction. */
  onWriterReplaced?(event: { readonly reason: string }): void
}

/**
 * An observer whose calls do not throw, whatever it does: the engine calls it while it holds locks.
 */
export function harmless(observer: SqliteObserver): SqliteObserver {
  const calls = Object.entries(observer).map(([name, call]) => {
    return [name, (event: unknown) => quietly(() => (call as (told: unknown) => void).call(observer, event))] as const
  })
  return Object.fromEntries(calls)
}

function quietly(call: () => void): void {
  try {
    call()
  } catch {
    // What cannot be told is lost; what was written is not.
  }
}
