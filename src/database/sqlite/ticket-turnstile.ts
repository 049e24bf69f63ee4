import { isTicketAnswer, type TicketRequest } from './ticket-messages.js'
import type { Turn, Turnstile } from './turnstile.js'

/** The worker's end of the channel to the ticket office: `process`, in a forked process. */
export interface TicketChannel {
  send?(message: TicketRequest, handle: undefined, options: object, callback: (error: Error | null) => void): boolean
  on(event: 'message', listener: (message: unknown) => void): unknown
  once(event: 'disconnect', listener: () => void): unknown
  off(event: 'message', listener: (message: unknown) => void): unknown
}

interface Waiter {
  readonly id: number
  readonly admit: (turn: Turn | null) => void
}

// A round trip takes well under a millisecond; an office that is silent for this long is stopped or stuck.
const PATIENCE_MS = 250

/**
 * Asks the ticket office for each turn. When the office is silent or gone, everybody is let through, and only SQLite's
 * own lock decides; when it speaks again, it is asked again.
 */
export class TicketTurnstile implements Turnstile {
  readonly #channel: TicketChannel
  readonly #waiters = new Map<number, Waiter>()
  readonly #listener = (message: unknown) => this.#hear(message)
  #lastId = 0
  #isOfficeGone = false
  #isOfficeSilent = false
  #pingedAt = -Infinity
  #silence: NodeJS.Timeout | undefined

  constructor(channel: TicketChannel) {
    this.#channel = channel
    channel.on('message', this.#listener)
    channel.once('disconnect', () => {
      this.#isOfficeGone = true
      this.#admitAll()
    })
  }

  enter(timeoutMs: number): Promise<Turn | null> {
    if (this.#isOfficeGone || this.#isOfficeSilent) {
      // It is asked all the same, so that its answer ends the silence.
      if (performance.now() - this.#pingedAt >= PATIENCE_MS) this.#ping()
      return Promise.resolve({ leave: () => undefined })
    }
    const id = ++this.#lastId
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(id)
        this.#say({ gator: 'ticket-done', id })
        resolve(null)
      }, timeoutMs)
      const admit = (turn: Turn | null) => {
        clearTimeout(timer)
        this.#waiters.delete(id)
        resolve(turn)
      }
      this.#waiters.set(id, { id, admit })
      this.#say({ gator: 'ticket-ask', id })
      this.#listenForSilence()
    })
  }

  close(): void {
    clearTimeout(this.#silence)
    this.#channel.off('message', this.#listener)
    this.#admitAll()
  }

  #hear(message: unknown): void {
    if (!isTicketAnswer(message)) return
    this.#isOfficeSilent = false
    clearTimeout(this.#silence)
    this.#silence = undefined
    if (message.gator === 'ticket-are-you-alive') this.#say({ gator: 'ticket-alive' })
    if (message.gator === 'ticket-go') {
      const { id, heldBy } = message
      const waiter = this.#waiters.get(id)
      // Whoever asked may have gone on without, or given up: the turn goes to the next.
      if (waiter) waiter.admit({ heldBy, leave: () => this.#say({ gator: 'ticket-done', id }) })
      else this.#say({ gator: 'ticket-done', id })
    }
    if (this.#waiters.size > 0) this.#listenForSilence()
  }

  // Waiting in line can take long; that the office lives is asked apart from it.
  #listenForSilence(): void {
    if (this.#silence) return
    this.#silence = setTimeout(() => {
      this.#ping()
      this.#silence = setTimeout(() => {
        this.#silence = undefined
        this.#isOfficeSilent = true
        this.#admitAll()
      }, PATIENCE_MS)
      this.#silence.unref()
    }, PATIENCE_MS)
    this.#silence.unref()
  }

  #admitAll(): void {
    for (const waiter of this.#waiters.values()) {
      const { id } = waiter
      waiter.admit({ leave: () => this.#say({ gator: 'ticket-done', id }) })
    }
  }

  // Not with every turn: what a stopped office does not read piles up in this process.
  #ping(): void {
    this.#pingedAt = performance.now()
    this.#say({ gator: 'ticket-ping' })
  }

  #say(message: TicketRequest): void {
    if (!this.#isOfficeGone) this.#channel.send?.(message, undefined, {}, () => undefined)
  }
}
