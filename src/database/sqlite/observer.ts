import type { ConnectionRole } from './pragmas.js'

/** Why a write was refused, or a transaction was ended from outside. */
export type RefusalReason = 'lock-timeout' | 'queue-full'
export type WatchdogReason = 'idle' | 'too-long'

/** What the engine tells about itself. Every call is synchronous and must not throw. */
export interface SqliteObserver {
  /** A statement has run, or failed; parameters are never passed. */
  onStatement?(event: { readonly sql: string; readonly role: ConnectionRole; readonly durationMs: number }): void
  /** A write has got the lock. */
  onLockAcquired?(event: { readonly waitedMs: number }): void
  /** A write was refused; nothing was written. */
  onRefused?(event: { readonly reason: RefusalReason; readonly waitedMs: number }): void
  /** SQLite said that somebody else holds a lock; the engine tries again. */
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
