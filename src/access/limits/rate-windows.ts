import { LRUCache } from 'lru-cache'

/** What became of one request of a client. */
export interface RateVerdict {
  readonly isAllowed: boolean
  /** How many more there may be in this window. */
  readonly remaining: number
  /** When the window ends, in milliseconds from now. */
  readonly resetsInMs: number
}

interface Window {
  used: number
  readonly endsAt: number
}

export const WINDOW_MS = 60_000
/** Who has not come for longest is forgotten first, and may begin anew: memory is bounded, whoever makes up addresses. */
const MAX_CLIENTS = 100_000

/**
 * Counts the requests of each client in windows of a minute, the first of which begins with its first request. In a window
 * it gets `limit` and not one more; around the end of one, twice as many within a minute.
 */
export class RateWindows {
  readonly #windows = new LRUCache<string, Window>({ max: MAX_CLIENTS })

  constructor(private readonly limit: number) {}

  /** Counts a request. */
  take(client: string, now = performance.now()): RateVerdict {
    let window = this.#windows.get(client)
    if (!window || window.endsAt <= now) {
      window = { used: 0, endsAt: now + WINDOW_MS }
      this.#windows.set(client, window)
    }
    const isAllowed = window.used < this.limit
    if (isAllowed) window.used++
    return { isAllowed, remaining: this.limit - window.used, resetsInMs: window.endsAt - now }
  }
}
