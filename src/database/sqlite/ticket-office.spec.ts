import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import type { TicketAnswer } from './ticket-messages.js'
import { TicketOffice } from './ticket-office.js'

const LONGEST_TURN_MS = 5_000

/** A worker that asks for turns, and lives. */
class Worker extends EventEmitter {
  readonly heard: TicketAnswer[] = []

  send(message: TicketAnswer): boolean {
    if (message.gator === 'ticket-are-you-alive') this.emit('message', { gator: 'ticket-alive' })
    else this.heard.push(message)
    return true
  }

  ask(id: number): void {
    this.emit('message', { gator: 'ticket-ask', id })
  }

  done(id: number): void {
    this.emit('message', { gator: 'ticket-done', id })
  }
}

describe('what the ticket office tells of its turns', () => {
  beforeEach(() => {
    jest.useFakeTimers()
  })
  afterEach(() => {
    jest.useRealTimers()
  })

  function start(): [TicketOffice, Worker, Worker, Worker] {
    const office = new TicketOffice(LONGEST_TURN_MS)
    const workers: [Worker, Worker, Worker] = [new Worker(), new Worker(), new Worker()]
    workers.forEach((worker, index) => office.attach(worker, index + 1))
    return [office, ...workers]
  }

  it('is the age of the one that is out, and how many wait', () => {
    const [office, one, two] = start()
    expect([office.heldMs, office.waiting]).toEqual([0, 0])
    one.ask(1)
    two.ask(1)
    jest.advanceTimersByTime(700)
    expect([office.heldMs, office.waiting, office.expired]).toEqual([700, 1, 0])
    // The first look after its time is over takes the turn away.
    jest.advanceTimersByTime(LONGEST_TURN_MS)
    expect([office.heldMs, office.waiting, office.expired]).toEqual([700, 0, 1])
  })

  it('is whose turn was the longest, to those who waited for it and to nobody else', () => {
    const [, one, two, three] = start()
    one.ask(1)
    two.ask(1)
    three.ask(1)
    jest.advanceTimersByTime(300)
    one.done(1)
    jest.advanceTimersByTime(150)
    two.done(1)
    const go = { gator: 'ticket-go', id: 1 }
    expect(one.heard).toEqual([go])
    expect(two.heard).toEqual([{ ...go, heldBy: { worker: 1, heldMs: 300 } }])
    expect(three.heard).toEqual([{ ...go, heldBy: { worker: 1, heldMs: 300 } }])
    jest.advanceTimersByTime(99)
    two.ask(2)
    three.done(1)
    expect(two.heard.at(-1)).toEqual({ gator: 'ticket-go', id: 2 })
  })
})
