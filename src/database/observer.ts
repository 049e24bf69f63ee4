/** Why a write was refused. Nothing was written. */
export const REFUSAL_REASONS = ['lock-timeout', 'queue-full'] as const
export type RefusalReason = (typeof REFUSAL_REASONS)[number]

/** A transaction of a caller's own, or single writes (on SQLite those that share one are one). */
export const TRANSACTION_KINDS = ['transaction', 'write'] as const
export type TransactionKind = (typeof TRANSACTION_KINDS)[number]

/** Reads and writes have connections of their own. */
export const CONNECTION_ROLES = ['reader', 'writer'] as const
export type ConnectionRole = (typeof CONNECTION_ROLES)[number]

export interface RefusedWrite {
  readonly reason: RefusalReason
  readonly waitedMs: number
  /** How much of it was for the database's own lock, while it was this write's turn. */
  readonly lockMs?: number
}

export interface RunStatement {
  readonly sql: string
  readonly role: ConnectionRole
  readonly durationMs: number
}

export interface EndedTransaction<Outcome extends string = string> {
  readonly kind: TransactionKind
  readonly outcome: Outcome
  /** From BEGIN to the end, in which others waited. */
  readonly heldMs: number
}

/** What either database tells about itself. Every call is synchronous and must not throw. */
export interface DatabaseObserver<Outcome extends string = string> {
  /** A statement has run, or failed; parameters are never passed. */
  onStatement?(event: RunStatement): void
  /** A write was refused; nothing was written. */
  onRefused?(event: RefusedWrite): void
  /** A transaction has ended, and with it what it held. */
  onTransactionEnd?(event: EndedTransaction<Outcome>): void
}
