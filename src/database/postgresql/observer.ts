import type { ConnectionRole, DatabaseObserver } from '../observer.js'

/** How a write ended; `unknown` is that of a connection that broke before the server had said. */
export const POSTGRESQL_OUTCOMES = ['commit', 'rollback', 'unknown'] as const
export type PostgresqlOutcome = (typeof POSTGRESQL_OUTCOMES)[number]

/** What the pools tell about themselves. */
export interface PostgresqlObserver extends DatabaseObserver<PostgresqlOutcome> {
  /** A write has got its turn: one of the connections that write is its own. */
  onTurn?(event: { readonly waitedMs: number }): void
  /** A connection was had from the pool. */
  onConnection?(event: { readonly role: ConnectionRole; readonly waitedMs: number }): void
  /** No connection could be had. */
  onConnectFailed?(event: { readonly role: ConnectionRole }): void
  /** A connection was lost under a statement. */
  onConnectionLost?(event: { readonly role: ConnectionRole }): void
  /** The server rolled a write back because of others; it is made again. */
  onConflict?(): void
}

/** How many connections a pool has now, and may have. */
export interface PoolUse {
  readonly role: ConnectionRole
  readonly total: number
  readonly idle: number
  /** How many statements wait for a connection. */
  readonly waiting: number
  readonly max: number
}
