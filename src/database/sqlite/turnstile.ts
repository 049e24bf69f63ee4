import type { LockHolder } from './observer.js'

/** A turn that has come. Whoever has it must give it back, once. */
export interface Turn {
  /** Whom it was waited for, if that was long. */
  readonly heldBy?: LockHolder | undefined
  leave(): void
}

/**
 * A queue for the write lock that may span processes. It is about fairness alone: SQLite's own lock gives safety, so an
 * implementation that lets somebody through too early costs a wait, never a write.
 */
export interface Turnstile {
  /** Resolves when it is the caller's turn; null when it was not within `timeoutMs`. */
  enter(timeoutMs: number): Promise<Turn | null>
  close(): void
}

const OPEN: Turn = { leave: () => undefined }

/** For a process that shares its database with no other of its kind. */
export const openTurnstile: Turnstile = {
  enter: () => Promise.resolve(OPEN),
  close: () => undefined,
}
