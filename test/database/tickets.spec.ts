import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises'
import type { TicketRequest } from '../../src/database/sqlite/ticket-messages.js'
import { TicketOffice } from '../../src/database/sqlite/ticket-office.js'
import { TicketTurnstile } from '../../src/database/sqlite/ticket-turnstile.js'
import type { Turn } from '../../src/database/sqlite/turnstile.js'
import { ChannelPair } from './channel-pair.js'

const LONGEST_TURN_MS = 5_000
const ENTER_TIMEOUT_MS = 10_000
/** The office is thought silent after twice its patience of 250 ms. */
const SILENCE_MS = 500
/** What a step takes when nobody is waited for, on a machine that is busy. */
const SOON_MS = 200

interface Worker {
  readonly pair: ChannelPair
  readonly turnstile: TicketTurnstile
}

let office: TicketOffice
let log: string[]
const workers: Worker[] = []

beforeEach(() => {
  office = new TicketOffice(LONGEST_TURN_MS)
  log = []
})

afterEach(() => {
  for (const { turnstile } of workers.splice(0)) turnstile.close()
})

function worker(): Worker {
  const pair = new ChannelPair()
  office.attach(pair.peer)
  const made = { pair, turnstile: new TicketTurnstile(pair.channel) }
  workers.push(made)
  return made
}

/** Asks for a turn, and notes in the log when it has come. */
function ask({ turnstile }: Worker, name: string, timeoutMs = ENTER_TIMEOUT_MS): Promise<Turn> {
  return turnstile.enter(timeoutMs).then((turn) => {
    if (!turn) throw new Error(`${name} got no turn`)
    log.push(name)
    return turn
  })
}

/** Long enough for every message that is under way to arrive, and its answer, and the answer to that. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await nextTurn()
}

const took = async (work: Promise<unknown>): Promise<number> => {
  const start = performance.now()
  await work
  return performance.now() - start
}

describe('turns', () => {
  it('are given first come, first served, whoever asks, one at a time', async () => {
    const [one, two, three] = [worker(), worker(), worker()]
    const asked = [ask(one, 'a'), ask(two, 'b'), ask(three, 'c'), ask(one, 'd'), ask(two, 'e')]
    const names = ['a', 'b', 'c', 'd', 'e']
    for (const [index, turn] of asked.entries()) {
      const { leave } = await turn
      await settled()
      expect(log).toEqual(names.slice(0, index + 1))
      leave()
    }
    expect(await took(ask(three, 'f'))).toBeLessThan(SOON_MS)
  })

  it('given back twice count once', async () => {
    const [one, two, three] = [worker(), worker(), worker()]
    const first = await ask(one, 'a')
    const second = ask(two, 'b')
    void ask(three, 'c')
    first.leave()
    first.leave()
    const { leave } = await second
    first.leave()
    await settled()
    expect(log).toEqual(['a', 'b'])
    leave()
    await settled()
    expect(log).toEqual(['a', 'b', 'c'])
  })

  it.each(['exit', 'disconnect'] as const)(
    'come back, with the places in line, when a worker is gone (%s)',
    async (how) => {
      const [one, two] = [worker(), worker()]
      await ask(one, 'a')
      void ask(one, 'never')
      await settled()
      const next = ask(two, 'b')
      await settled()
      expect(log).toEqual(['a'])
      one.pair.stopOffice()
      one.pair.loseWorker(how)
      expect(await took(next)).toBeLessThan(SOON_MS)
      await settled()
      expect(log).toEqual(['a', 'b', 'never'].slice(0, 2))
    },
  )

  it('come back when their time is over, and a late return does not take the next one away', async () => {
    office = new TicketOffice(50)
    const [one, two, three] = [worker(), worker(), worker()]
    const forgotten = await ask(one, 'a')
    const next = ask(two, 'b')
    expect(await took(next)).toBeGreaterThanOrEqual(40)
    void ask(three, 'c')
    forgotten.leave()
    await settled()
    expect(log).toEqual(['a', 'b'])
    ;(await next).leave()
    await settled()
    expect(log).toEqual(['a', 'b', 'c'])
  })

  it('come back from a worker that has stopped, whose others are passed over until it speaks again', async () => {
    const [two, three] = [worker(), worker()]
    // Without a turnstile: whoever has stopped has no timers either.
    const stopped = new ChannelPair()
    const heard: unknown[] = []
    stopped.channel.on('message', (message) => heard.push(message))
    const say = (message: TicketRequest) => stopped.channel.send?.(message, undefined, {}, () => undefined)
    office.attach(stopped.peer)
    for (const id of [1, 2, 3]) say({ gator: 'ticket-ask', id })
    await settled()
    const next = ask(two, 'd')
    expect(await took(next)).toBeLessThan(SILENCE_MS + SOON_MS)
    const after = ask(three, 'e')
    ;(await next).leave()
    expect(await took(after)).toBeLessThan(SOON_MS)
    say({ gator: 'ticket-done', id: 1 })
    await settled()
    expect(heard).toEqual([{ gator: 'ticket-go', id: 1 }, { gator: 'ticket-are-you-alive' }])
    ;(await after).leave()
    await settled()
    expect(heard.slice(2)).toEqual([{ gator: 'ticket-go', id: 2 }])
    say({ gator: 'ticket-done', id: 2 })
    await settled()
    expect(heard.slice(3)).toEqual([{ gator: 'ticket-go', id: 3 }])
  })

  it('go past whoever has given up', async () => {
    const [one, two, three] = [worker(), worker(), worker()]
    const first = await ask(one, 'a')
    expect(await two.turnstile.enter(20)).toBeNull()
    // It says so at once, and not only when its turn has come.
    expect(two.pair.said).toContainEqual({ gator: 'ticket-done', id: 1 })
    const third = ask(three, 'c')
    first.leave()
    expect(await took(third)).toBeLessThan(SOON_MS)
  })

  it('that are granted too late are handed on', async () => {
    const [one, two] = [worker(), worker()]
    one.pair.stopOffice()
    expect(await one.turnstile.enter(20)).toBeNull()
    one.pair.continueOffice()
    expect(await took(ask(two, 'b'))).toBeLessThan(SOON_MS)
    // Whatever the office believes to have given, it gets back.
    one.pair.say({ gator: 'ticket-go', id: 99 })
    expect(one.pair.said).toContainEqual({ gator: 'ticket-done', id: 99 })
  })

  it('are waited for longer than the office or their holder may be silent, as long as both answer', async () => {
    const [one, two] = [worker(), worker()]
    const first = await ask(one, 'a')
    const second = ask(two, 'b')
    // The time is what is tested: nobody may be let in while it passes.
    expect(await Promise.race([second, delay(3 * SILENCE_MS, 'waits')])).toBe('waits')
    first.leave()
    await second
  })

  it('are not disturbed by other messages on the channel', async () => {
    const one = worker()
    for (const message of [null, 'ticket-go', { gator: 'other', id: 1 }, { id: 1 }]) one.pair.say(message)
    ;(await ask(one, 'a')).leave()
    for (const message of [null, 'ticket-go', { gator: 'other', id: 1 }, { id: 1 }]) one.pair.say(message)
    ;(await ask(one, 'b')).leave()
    expect(log).toEqual(['a', 'b'])
  })
})

describe('an office that is silent', () => {
  it('holds up nobody after its patience, and nobody at all from then on', async () => {
    const [one, two] = [worker(), worker()]
    const first = await ask(two, 'a')
    one.pair.stopOffice()
    const elapsed = await took(Promise.all([ask(one, 'b'), ask(one, 'c')]))
    expect(elapsed).toBeGreaterThanOrEqual(0.9 * SILENCE_MS)
    expect(elapsed).toBeLessThan(SILENCE_MS + SOON_MS)
    expect(await took(ask(one, 'd'))).toBeLessThan(SOON_MS)
    first.leave()
    // The office lives for another worker.
    await ask(two, 'e')
    expect(log).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('is asked again when it speaks', async () => {
    const [one, two] = [worker(), worker()]
    one.pair.stopOffice()
    const early = await Promise.all([ask(one, 'a'), ask(one, 'b')])
    const unlined = await ask(one, 'c')
    one.pair.continueOffice()
    for (const turn of [...early, unlined]) turn.leave()
    await settled()
    const held = await ask(two, 'd')
    const waiting = ask(one, 'e')
    await settled()
    expect(log).toEqual(['a', 'b', 'c', 'd'])
    held.leave()
    expect(await took(waiting)).toBeLessThan(SOON_MS)
  })

  it('is not sent ever more questions', async () => {
    const one = worker()
    one.pair.stopOffice()
    await ask(one, 'a')
    const before = one.pair.said.length
    for (let count = 0; count < 1_000; count++) (await ask(one, 'again')).leave()
    expect(one.pair.said.length - before).toBeLessThan(10)
  })
})

describe('an office that is gone', () => {
  it('lets everybody through at once, whether they wait or come later', async () => {
    const [one, two] = [worker(), worker()]
    await ask(one, 'a')
    const waiting = ask(two, 'b')
    await settled()
    two.pair.loseOffice()
    expect(await took(waiting)).toBeLessThan(SOON_MS)
    const start = two.pair.said.length
    ;(await waiting).leave()
    ;(await ask(two, 'c')).leave()
    expect(two.pair.said).toHaveLength(start)
  })
})

describe('close()', () => {
  it('admits those who wait, and gives back what is granted to them', async () => {
    const [one, two, three] = [worker(), worker(), worker()]
    const first = await ask(one, 'a')
    const waiting = ask(two, 'b')
    await settled()
    two.turnstile.close()
    expect(await took(waiting)).toBeLessThan(SOON_MS)
    ;(await waiting).leave()
    first.leave()
    expect(await took(ask(three, 'c'))).toBeLessThan(SOON_MS)
  })
})
