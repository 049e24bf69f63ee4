interface Waiter {
  readonly grant: () => void
  readonly timer: NodeJS.Timeout
}

/**
 * A lock within one process: whoever asks first gets it first. It is free again only when the holder releases it, so
 * that "nobody else is between my BEGIN and my COMMIT" holds by construction.
 */
export class FifoLock {
  #isHeld = false
  readonly #waiters = new Set<Waiter>()

  /**
   * Waits for the lock and answers the function that releases it (calling it again does nothing), or null when the lock
   * was not free within `timeoutMs`.
   */
  acquire(timeoutMs: number): Promise<(() => void) | null> {
    if (!this.#isHeld) {
      this.#isHeld = true
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
        this.#isHeld = false
      }
    }
  }
}
