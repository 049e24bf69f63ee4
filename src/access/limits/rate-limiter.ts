import { LRUCache } from 'lru-cache'
import { isRateAnswer, type RateAsk } from './rate-messages.js'
import { type RateVerdict, RateWindows } from './rate-windows.js'

/** Counts requests against RATE_LIMIT_PER_MINUTE. */
export interface RateLimiter {
  /** Counts a request of a client. */
  take(client: string): Promise<RateVerdict>
}

/** For a process that has no others beside it. */
export class LocalLimiter implements RateLimiter {
  readonly #windows: RateWindows

  constructor(limit: number) {
    this.#windows = new RateWindows(limit)
  }

  take(client: string): Promise<RateVerdict> {
    return Promise.resolve(this.#windows.take(client))
  }
}

/** The worker's end of the channel to the primary: `process`, in a forked process. */
export interface RateChannel {
  send?(message: RateAsk, handle: undefined, options: object, callback: (error: Error | null) => void): boolean
  on(event: 'message', listener: (message: unknown) => void): unknown
}

interface Waiter {
  readonly client: string
  readonly decide: (verdict: RateVerdict) => void
}

// A round trip takes well under a millisecond; a primary that is silent for this long is stopped or stuck.
const PATIENCE_MS = 250
const MAX_REFUSED = 10_000

/**
 * For a worker: has the primary count, all requests of a turn with one message. Whom it has refused is refused from memory
 * until the window ends, so that a flood stays with the worker that it came to. While the primary is silent each worker
 * counts for itself, against its share.
 */
export class WorkerLimiter implements RateLimiter {
  readonly #share: RateWindows
  readonly #refusedUntil = new LRUCache<string, number>({ max: MAX_REFUSED })
  readonly #asked = new Map<number, readonly Waiter[]>()
  #next: Waiter[] = []
  #lastId = 0
  #isSilent = false
  #askedAt = -Infinity

  constructor(
    limit: number,
    workers: number,
    private readonly channel: RateChannel,
    private readonly patienceMs = PATIENCE_MS,
  ) {
    this.#share = new RateWindows(Math.ceil(limit / workers))
    channel.on('message', (message) => this.#hear(message))
  }

  take(client: string): Promise<RateVerdict> {
    const resetsInMs = (this.#refusedUntil.get(client) ?? -Infinity) - performance.now()
    if (resetsInMs > 0) return Promise.resolve({ isAllowed: false, remaining: 0, resetsInMs })
    if (this.#isSilent) {
      // It is asked all the same, so that its answer ends the silence.
      if (performance.now() - this.#askedAt >= this.patienceMs) this.#ask([])
      return Promise.resolve(this.#share.take(client))
    }
    return new Promise((decide) => {
      if (this.#next.push({ client, decide }) > 1) return
      setImmediate(() => this.#ask(this.#next.splice(0)))
    })
  }

  #ask(waiters: readonly Waiter[]): void {
    const id = ++this.#lastId
    this.#askedAt = performance.now()
    this.#asked.set(id, waiters)
    const clients = waiters.map(({ client }) => client)
    this.channel.send?.({ gator: 'rate-ask', id, clients }, undefined, {}, () => undefined)
    setTimeout(() => this.#giveUp(id), this.patienceMs).unref()
  }

  #giveUp(id: number): void {
    const waiters = this.#asked.get(id)
    if (!waiters) return
    this.#asked.delete(id)
    this.#isSilent = true
    for (const { client, decide } of waiters) decide(this.#share.take(client))
  }

  #hear(message: unknown): void {
    if (!isRateAnswer(message)) return
    this.#isSilent = false
    const waiters = this.#asked.get(message.id) ?? []
    this.#asked.delete(message.id)
    for (const [index, { client, decide }] of waiters.entries()) {
      const verdict = message.verdicts[index]
      if (!verdict) continue
      if (!verdict.isAllowed) this.#refusedUntil.set(client, performance.now() + verdict.resetsInMs)
      decide(verdict)
    }
  }
}
