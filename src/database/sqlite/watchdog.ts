import type { SqliteObserver, WatchdogReason } from './observer.js'
import type { WriteTransaction } from './write-transaction.js'

export interface WatchdogOptions {
  /** How long a transaction may stay without a statement. */
  readonly idleTimeoutMs: number
  /** How long a transaction may stay open. */
  readonly transactionTimeoutMs: number
}

/**
 * Ends a transaction whose owner has lost it: it holds the write lock of every process. The timer looks at the time of
 * the last statement when it fires, so that a statement costs no timer of its own.
 */
export function watch(transaction: WriteTransaction, options: WatchdogOptions, observer: SqliteObserver): void {
  const { idleTimeoutMs, transactionTimeoutMs } = options
  const openedAt = performance.now()
  const look = () => {
    if (!transaction.isOpen) return
    const now = performance.now()
    const idleLeft = transaction.lastUsedAt + idleTimeoutMs - now
    const totalLeft = openedAt + transactionTimeoutMs - now
    const left = Math.min(idleLeft, totalLeft)
    if (left > 0) {
      arm(left)
      return
    }
    const reason: WatchdogReason = totalLeft <= 0 ? 'too-long' : 'idle'
    transaction.expire(
      reason === 'idle'
        ? `it was idle for ${idleTimeoutMs} ms and was rolled back`
        : `it was open for ${transactionTimeoutMs} ms and was rolled back`,
    )
    observer.onWatchdog?.({ reason, openMs: now - openedAt })
  }
  const arm = (delayMs: number) => {
    const timer = setTimeout(look, delayMs)
    timer.unref()
    transaction.onceEnded(() => clearTimeout(timer))
  }
  arm(Math.min(idleTimeoutMs, transactionTimeoutMs))
}
