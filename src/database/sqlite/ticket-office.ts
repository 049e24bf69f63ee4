import type { LockHolder } from './observer.js'
import { isTicketRequest, type TicketAnswer, type TicketRequest } from './ticket-messages.js'

/** A worker as the office sees it: what `child_process.fork` and `cluster.fork` answer. */
export interface TicketPeer {
  send(message: TicketAnswer, callback: (error: Error | null) => void): boolean
  on(event: 'message', listener: (message: unknown) => void): unknown
  once(event: 'exit' | 'disconnect', listener: () => void): unknown
}

interface Ticket {
  readonly peer: TicketPeer
  readonly id: number
  readonly askedAt: number
}

/** A turn that was long, and when it ended. */
interface LongTurn extends LockHolder {
  readonly endedAt: number
}

// A worker that serves answers within a millisecond. One that blocks its event loop for twice as long as this loses its
// turn, which costs order and no write: SQLite's lock is still its own.
const PATIENCE_MS = 250
// What is worth telling whoever waited for it, and how many of them.
const LONG_TURN_MS = 100
const LONG_TURNS_KEPT = 8

/**
 * Deals out turns at the write lock to the workers of one machine, first come, first served. One ticket is out at a
 * time. It comes back when its holder says so, or is gone, or does not answer any more: a holder that has stopped (but
 * not ended) does not stop the others. Its other tickets are passed over until it speaks again.
 */
export class TicketOffice {
  readonly #queue: Ticket[] = []
  readonly #slots = new WeakMap<TicketPeer, number>()
  readonly #silent = new Set<TicketPeer>()
  readonly #longTurns: LongTurn[] = []
  #out: Ticket | null = null
  #outSince = 0
  #isHolderHeard = false
  #expired = 0
  #watch: NodeJS.Timeout | undefined

  /** @param longestTurnMs after which a ticket is taken back from a holder that lives; longer than any turn may last */
  constructor(private readonly longestTurnMs: number) {}

  /** How many turns are waited for. */
  get waiting(): number {
    return this.#queue.length
  }

  /** For how long the turn has been out; 0 when it is not. */
  get heldMs(): number {
    return this.#out ? performance.now() - this.#outSince : 0
  }

  /** How many turns were taken back because their holder was silent, or their time was over. */
  get expired(): number {
    return this.#expired
  }

  /** Serves a worker until it is gone. Those who wait for it are told its slot, if it has one. */
  attach(peer: TicketPeer, slot?: number): void {
    if (slot !== undefined) this.#slots.set(peer, slot)
    peer.on('message', (message) => {
      if (isTicketRequest(message)) this.#hear(peer, message)
    })
    peer.once('exit', () => this.#forget(peer))
    peer.once('disconnect', () => this.#forget(peer))
  }

  #hear(peer: TicketPeer, message: TicketRequest): void {
    if (this.#out?.peer === peer) this.#isHolderHeard = true
    this.#silent.delete(peer)
    if (message.gator === 'ticket-ping') answer(peer, { gator: 'ticket-pong' })
    else if (message.gator === 'ticket-ask') this.#queue.push({ peer, id: message.id, askedAt: performance.now() })
    else if (message.gator === 'ticket-done') this.#done(peer, message.id)
    if (!this.#out) this.#next()
  }

  // A worker that no longer waits gives its ticket back before it has got it.
  #done(peer: TicketPeer, id: number): void {
    const isDone = (ticket: Ticket) => ticket.peer === peer && ticket.id === id
    if (this.#out && isDone(this.#out)) {
      this.#next()
      return
    }
    const place = this.#queue.findIndex(isDone)
    if (place >= 0) this.#queue.splice(place, 1)
  }

  #forget(peer: TicketPeer): void {
    const staying = this.#queue.filter((ticket) => ticket.peer !== peer)
    this.#queue.splice(0, this.#queue.length, ...staying)
    this.#silent.delete(peer)
    if (this.#out?.peer === peer) this.#next()
  }

  #next(): void {
    clearTimeout(this.#watch)
    this.#rememberLongTurn()
    const place = this.#queue.findIndex(({ peer }) => !this.#silent.has(peer))
    const [ticket] = place < 0 ? [] : this.#queue.splice(place, 1)
    this.#out = ticket ?? null
    if (!ticket) return
    this.#outSince = performance.now()
    this.#isHolderHeard = true
    this.#after(PATIENCE_MS, () => this.#look(ticket))
    const heldBy = this.#longestTurnSince(ticket.askedAt)
    answer(ticket.peer, { gator: 'ticket-go', id: ticket.id, ...(heldBy && { heldBy }) })
  }

  /** Asks the holder whether it is alive, and once more after the patience; a silent one loses its turn. */
  #look(ticket: Ticket): void {
    if (!this.#isHolderHeard) this.#silent.add(ticket.peer)
    if (!this.#isHolderHeard || this.heldMs >= this.longestTurnMs) {
      this.#expired += 1
      this.#next()
      return
    }
    this.#isHolderHeard = false
    this.#after(PATIENCE_MS, () => this.#look(ticket))
    answer(ticket.peer, { gator: 'ticket-are-you-alive' })
  }

  #after(delayMs: number, look: () => void): void {
    this.#watch = setTimeout(look, delayMs)
    this.#watch.unref()
  }

  #rememberLongTurn(): void {
    const { heldMs } = this
    const worker = this.#out && this.#slots.get(this.#out.peer)
    if (heldMs < LONG_TURN_MS || typeof worker !== 'number') return
    this.#longTurns.push({ worker, heldMs, endedAt: performance.now() })
    if (this.#longTurns.length > LONG_TURNS_KEPT) this.#longTurns.shift()
  }

  #longestTurnSince(askedAt: number): LockHolder | undefined {
    let longest: LongTurn | undefined
    for (const turn of this.#longTurns) {
      if (turn.endedAt > askedAt && turn.heldMs > (longest?.heldMs ?? 0)) longest = turn
    }
    return longest && { worker: longest.worker, heldMs: longest.heldMs }
  }
}

// A worker that is just ending cannot be answered; its end takes its tickets back.
function answer(peer: TicketPeer, message: TicketAnswer): void {
  peer.send(message, () => undefined)
}
