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
}

// A worker that serves answers within a millisecond. One that blocks its event loop for twice as long as this loses its
// turn, which costs order and no write: SQLite's lock is still its own.
const PATIENCE_MS = 250

/**
 * Deals out turns at the write lock to the workers of one machine, first come, first served. One ticket is out at a
 * time. It comes back when its holder says so, or is gone, or does not answer any more: a holder that has stopped (but
 * not ended) does not stop the others. Its other tickets are passed over until it speaks again.
 */
export class TicketOffice {
  readonly #queue: Ticket[] = []
  readonly #silent = new Set<TicketPeer>()
  #out: Ticket | null = null
  #outSince = 0
  #isHolderHeard = false
  #watch: NodeJS.Timeout | undefined

  /** @param longestTurnMs after which a ticket is taken back from a holder that lives; longer than any turn may last */
  constructor(private readonly longestTurnMs: number) {}

  /** Serves a worker until it is gone. */
  attach(peer: TicketPeer): void {
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
    else if (message.gator === 'ticket-ask') this.#queue.push({ peer, id: message.id })
    else if (message.gator === 'ticket-done') this.#done({ peer, id: message.id })
    if (!this.#out) this.#next()
  }

  // A worker that no longer waits gives its ticket back before it has got it.
  #done(ticket: Ticket): void {
    if (this.#out && isSame(this.#out, ticket)) {
      this.#out = null
      return
    }
    const place = this.#queue.findIndex((waiting) => isSame(waiting, ticket))
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
    const place = this.#queue.findIndex(({ peer }) => !this.#silent.has(peer))
    const [ticket] = place < 0 ? [] : this.#queue.splice(place, 1)
    this.#out = ticket ?? null
    if (!ticket) return
    this.#outSince = performance.now()
    this.#isHolderHeard = true
    this.#after(PATIENCE_MS, () => this.#look(ticket))
    answer(ticket.peer, { gator: 'ticket-go', id: ticket.id })
  }

  /** Asks the holder whether it is alive, and once more after the patience; a silent one loses its turn. */
  #look(ticket: Ticket): void {
    if (!this.#isHolderHeard) this.#silent.add(ticket.peer)
    if (!this.#isHolderHeard || performance.now() - this.#outSince >= this.longestTurnMs) {
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
}

function isSame(one: Ticket, other: Ticket): boolean {
  return one.peer === other.peer && one.id === other.id
}

// A worker that is just ending cannot be answered; its end takes its tickets back.
function answer(peer: TicketPeer, message: TicketAnswer): void {
  peer.send(message, () => undefined)
}
