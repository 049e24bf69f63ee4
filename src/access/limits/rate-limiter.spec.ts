import { EventEmitter } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { networkOf } from '../addresses.js'
import { type RateChannel, WorkerLimiter } from './rate-limiter.js'
import type { RateAnswer, RateAsk } from './rate-messages.js'
import { RateOffice, type RatePeer } from './rate-office.js'
import { RateWindows, WINDOW_MS } from './rate-windows.js'

const LIMIT = 10
const WORKERS = 4
/** Longer than any machine is too busy to answer; and so short that nobody answers in it. */
const [PATIENT_MS, IMPATIENT_MS] = [20_000, 20]

describe('a window', () => {
  it('lets so many pass and not one more, and a minute later as many again', () => {
    const windows = new RateWindows(LIMIT)
    const passed = (now: number) =>
      Array.from({ length: 2 * LIMIT }, () => windows.take('a', now)).filter(({ isAllowed }) => isAllowed).length
    expect([passed(0), passed(WINDOW_MS - 1), passed(WINDOW_MS), passed(WINDOW_MS + 1)]).toEqual([LIMIT, 0, LIMIT, 0])
    expect(windows.take('b', 0)).toEqual({ isAllowed: true, remaining: LIMIT - 1, resetsInMs: WINDOW_MS })
    expect(windows.take('a', WINDOW_MS + 10)).toEqual({ isAllowed: false, remaining: 0, resetsInMs: WINDOW_MS - 10 })
  })
})

/** The two ends of a channel, over which messages go a turn later, as long as the primary is there. */
class Channel extends EventEmitter implements RateChannel, RatePeer {
  readonly primary = new EventEmitter()
  asked = 0

  constructor(private readonly isThere: () => boolean) {
    super()
  }

  readonly peer: RatePeer = {
    on: (event, listener) => this.primary.on(event, listener),
    send: (answer) => this.send(answer),
  }

  send(message: RateAsk | RateAnswer): boolean {
    const isAsk = message.gator === 'rate-ask'
    if (isAsk) this.asked++
    if (this.isThere()) setImmediate(() => (isAsk ? this.primary : this).emit('message', message))
    return true
  }
}

describe('four workers', () => {
  let isThere = true
  let channels: Channel[]
  let limiters: WorkerLimiter[]
  const start = (patienceMs: number) => {
    const office = new RateOffice(LIMIT)
    channels = Array.from({ length: WORKERS }, () => new Channel(() => isThere))
    limiters = channels.map((channel) => new WorkerLimiter(LIMIT, WORKERS, channel, patienceMs))
    for (const { peer } of channels) office.attach(peer)
  }
  const burst = async (each: number, client = 'a') => {
    const verdicts = limiters.map((limiter) => Array.from({ length: each }, () => limiter.take(client)))
    return (await Promise.all(verdicts.flat())).filter(({ isAllowed }) => isAllowed).length
  }

  it('let exactly so many pass together, at one message each for all that come in a turn', async () => {
    start(PATIENT_MS)
    expect(await burst(LIMIT)).toBe(LIMIT)
    expect(channels.map(({ asked }) => asked)).toEqual([1, 1, 1, 1])
  })

  it('refuse from memory whom the primary has refused, and nobody else', async () => {
    start(PATIENT_MS)
    await burst(LIMIT + 1)
    expect(await burst(LIMIT)).toBe(0)
    expect(channels.map(({ asked }) => asked)).toEqual([1, 1, 1, 1])
    expect(await burst(1, 'b')).toBe(WORKERS)
  })

  it('count each for its share while the primary is silent, and together again when it speaks', async () => {
    start(IMPATIENT_MS)
    isThere = false
    const share = Math.ceil(LIMIT / WORKERS)
    expect(await burst(LIMIT)).toBe(share * WORKERS)
    // Nobody is kept waiting a second time.
    const decided = burst(1, 'b')
    expect(await Promise.race([decided, nextTurn('late')])).toBe(WORKERS)
    isThere = true
    const [first] = channels
    let isHeard = false
    first?.once('message', () => (isHeard = true))
    while (!isHeard) {
      await limiters[0]?.take('c')
      await nextTurn()
    }
    expect((await limiters[0]?.take('d'))?.remaining).toBe(LIMIT - 1)
  })
})

describe('a client without a key', () => {
  it.each([
    ['10.0.0.7', '10.0.0.7'],
    ['::ffff:10.0.0.7', '10.0.0.7'],
    ['10.0.0.7:50123', '10.0.0.7'],
    ['[2001:db8:1:2::6]:50123', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::6]', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
    ['2001:db8::6', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('at %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })
})
