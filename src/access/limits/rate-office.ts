import { isRateAsk, type RateAnswer } from './rate-messages.js'
import { RateWindows } from './rate-windows.js'

/** A worker as the office sees it: what `cluster.fork` answers. */
export interface RatePeer {
  send(message: RateAnswer, callback: (error: Error | null) => void): boolean
  on(event: 'message', listener: (message: unknown) => void): unknown
}

/** The primary's side of the rate limit: it alone counts, so that the limit is one, however many workers serve. */
export class RateOffice {
  readonly #windows: RateWindows

  constructor(limit: number) {
    this.#windows = new RateWindows(limit)
  }

  attach(peer: RatePeer): void {
    peer.on('message', (message) => {
      if (!isRateAsk(message)) return
      const verdicts = message.clients.map((client) => this.#windows.take(client))
      // A worker that is just ending cannot be told.
      peer.send({ gator: 'rate-answer', id: message.id, verdicts }, () => undefined)
    })
  }
}
