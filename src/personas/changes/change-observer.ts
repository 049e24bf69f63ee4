import type { ResetReason } from './change.js'

/** Told what the streams of this process do. Also the DI token. */
export abstract class ChangeObserver {
  /** How many listen now. */
  abstract onListeners(count: number): void
  /** So many events were handed to one listener. */
  abstract onEvents(count: number): void
  abstract onReset(reason: ResetReason): void
}
