import type { ConnectionRole } from './pragmas.js'

/** What the engine tells about itself. Every call is synchronous and must not throw. */
export interface SqliteObserver {
  /** A statement has run, or failed; parameters are never passed. */
  onStatement?(event: { readonly sql: string; readonly role: ConnectionRole; readonly durationMs: number }): void
  /** A write was refused, because the lock was not free within the busy timeout. */
  onLockTimeout?(event: { readonly waitedMs: number }): void
  /** The write connection was replaced, because it could not leave a transaction. */
  onWriterReplaced?(event: { readonly reason: string }): void
}
