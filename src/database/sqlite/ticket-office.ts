import { isTicketRequest, type TicketAnswer } from './ticket-messages.js'

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

/**
 * Deals out turns at the write lock to the workers of one machine, first come, first served. One ticket is out at a
 * time. It comes back when its holder says so, when its holder is gone, or when its time is over, so that a holder that
 * has stopped (but not ended) does not stop the others.
 */
export class TicketOffice {
  readonly #queue: Ticket[] = []
  #out: Ticket | null = null
  #expiry: NodeJS.Timeout | undefined

  /** @param longestTurnMs after which a ticket is taken back; longer than any transaction may last */
  constructor(private readonly longestTurnMs: number) {}

  /** Serves a worker until it is gone. */
  attach(peer: TicketPeer): void {
    peer.on('message', (message) => {
      if (!isTicketRequest(message)) return
      if (message.gator === 'ticket-ping') answer(peer, { gator: 'ticket-pong' })
      else if (message.gator === 'ticket-ask') this.#ask({ peer, id: message.id })
      else this.#done({ peer, id: message.id })
    })
    peer.once('exit', () => this.#forget(peer))
    peer.once('disconnect', () => this.#forget(peer))
  }

  #ask(ticket: Ticket): void {
    this.#queue.push(ticket)
    if (!this.#out) this.#next()
  }

  // A worker that no longer waits gives its ticket back before it has got it.
  #done(ticket: Ticket): void {
    if (this.#out && isSame(this.#out, ticket)) {
      this.#next()
      return
    }
    const place = this.#queue.findIndex((waiting) => isSame(waiting, ticket))
    if (place >= 0) this.#queue.splice(place, 1)
  }

  #forget(peer: TicketPeer): void {
    const staying = this.#queue.filter((ticket) => ticket.peer !== peer)
    this.#queue.splice(0, this.#queue.length, ...staying)
    if (this.#out?.peer === peer) this.#next()
  }

  #next(): void {
    clearTimeout(this.#expiry)
    const ticket = this.#queue.shift() ?? null
    this.#out = ticket
    if (!ticket) return
    this.#expiry = setTimeout(() => this.#next(), this.longestTurnMs)
    this.#expiry.unref()
    answer(ticket.peer, { gator: 'ticket-go', id: ticket.id })
  }
}

function isSame(one: Ticket, other: Ticket): boolean {
  return one.peer === other.peer && one.id === other.id
}

// A worker that is just ending cannot be answered; its end takes its tickets back.
function answer(peer: TicketPeer, message: TicketAnswer): void {
  peer.send(message, () => undefined)
}
