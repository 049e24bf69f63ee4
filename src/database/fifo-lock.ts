interface Waiter {
  readonly grant: () => void
  readonly timer: NodeJS.Timeout
}

/**
 * A lock within one process, for one holder or for a fixed number of them: whoever asks first gets it first. It is free
 * again only when a holder releases it, so that "nobody else is between my BEGIN and my COMMIT" holds by construction.
 */
export class FifoLock {
  #free: number
  readonly #waiters = new Set<Waiter>()

  /** @param holders how many may have it at the same time */
  constructor(holders = 1) {
    this.#free = holders
  }

  /** How many wait for it. */
  get waiting(): number {
    return this.#waiters.size
  }

  /**
   * Waits for the lock and answers the function that releases it (calling it again does nothing), or null when the lock
   * was not free within `timeoutMs`.
   */
  acquire(timeoutMs: number): Promise<(() => void) | null> {
    if (this.#free > 0) {
      this.#free -= 1
      return Promise.resolve(this.#releaseOnce())
    }
    return new Promise((resolve) => {
      const waiter: Waiter = {
        grant: () => {
          clearTimeout(waiter.timer)
          resolve(this.#releaseOnce())
        },
        timer: setTimeout(() => {
          this.#waiters.delete(waiter)
          resolve(null)
        }, timeoutMs),
      }
      this.#waiters.add(waiter)
    })
  }

  #releaseOnce(): () => void {
    let isReleased = false
    return () => {
      if (isReleased) return
      isReleased = true
      const [next] = this.#waiters
      if (next) {
        this.#waiters.delete(next)
        next.grant()
      } else {
        this.#free += 1
      }
    }
  }
}
