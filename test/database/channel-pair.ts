import { EventEmitter } from 'node:events'
import type { TicketPeer } from '../../src/database/sqlite/ticket-office.js'
import type { TicketChannel } from '../../src/database/sqlite/ticket-turnstile.js'

/**
 * The two ends of a channel between a worker and the office, without processes. Messages arrive later, in order. While
 * the office is stopped they wait for it, as they do in a pipe.
 */
export class ChannelPair {
  readonly #peerEvents = new EventEmitter()
  readonly #workerEvents = new EventEmitter()
  readonly #undelivered: unknown[] = []
  #isStopped = false
  /** What the worker has said. */
  readonly said: unknown[] = []

  /** The office's end. */
  readonly peer: TicketPeer = {
    send: (message, callback) => {
      setImmediate(() => {
        this.#workerEvents.emit('message', message)
        callback(null)
      })
      return true
    },
    on: (event, listener) => this.#peerEvents.on(event, listener),
    once: (event, listener) => this.#peerEvents.once(event, listener),
  }

  /** The worker's end. */
  readonly channel: TicketChannel = {
    send: (message, _handle, _options, callback) => {
      this.said.push(message)
      this.#undelivered.push(message)
      setImmediate(() => {
        this.#deliver(1)
        callback(null)
      })
      return true
    },
    on: (event, listener) => this.#workerEvents.on(event, listener),
    once: (event, listener) => this.#workerEvents.once(event, listener),
    off: (event, listener) => this.#workerEvents.off(event, listener),
  }

  stopOffice(): void {
    this.#isStopped = true
  }

  continueOffice(): void {
    this.#isStopped = false
    this.#deliver(this.#undelivered.length)
  }

  /** The worker is gone, as the office sees it. */
  loseWorker(how: 'exit' | 'disconnect'): void {
    this.#peerEvents.emit(how)
  }

  /** The office is gone, as the worker sees it. */
  loseOffice(): void {
    this.stopOffice()
    this.#workerEvents.emit('disconnect')
  }

  /** Says something to the worker that is none of the office's business. */
  say(message: unknown): void {
    this.#workerEvents.emit('message', message)
    this.#peerEvents.emit('message', message)
  }

  #deliver(count: number): void {
    if (this.#isStopped) return
    for (const message of this.#undelivered.splice(0, count)) this.#peerEvents.emit('message', message)
  }
}
