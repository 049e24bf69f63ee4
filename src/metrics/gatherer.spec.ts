import { EventEmitter } from 'node:events'
import { afterEach, describe, expect, it } from '@jest/globals'
import { parseSettings } from '../config/settings.js'
import { GatherOffice } from './gather-office.js'
import { type GatherChannel, type Gatherer, PrimarySilentError, WorkerGatherer } from './gatherer.js'
import type { GatherAnswer, GatherRequest } from './gather-messages.js'
import { ProcessMetrics } from './process-metrics.js'
import { RootMetrics } from './root-metrics.js'

const settings = parseSettings({}, false)
const opened: Gatherer[] = []

afterEach(async () => {
  await Promise.all(opened.splice(0).map((gatherer) => gatherer.close()))
})

/** Both ends of a channel; what crosses it is JSON, as between processes. */
function channel(): {
  worker: EventEmitter & GatherChannel
  peer: EventEmitter & { send: (m: GatherAnswer) => boolean }
} {
  const [worker, peer] = [new EventEmitter(), new EventEmitter()]
  const pass = (to: EventEmitter, message: unknown, done?: (error: null) => void) => {
    const copy: unknown = JSON.parse(JSON.stringify(message))
    setImmediate(() => {
      to.emit('message', copy)
      done?.(null)
    })
    return true
  }
  const send = (message: GatherRequest, _handle: undefined, _options: object, done: (error: null) => void) =>
    pass(peer, message, done)
  return {
    worker: Object.assign(worker, { send }),
    peer: Object.assign(peer, { send: (message: GatherAnswer) => pass(worker, message) }),
  }
}

function workerOf(slot: number, office?: GatherOffice, patienceMs?: number): [ProcessMetrics, Gatherer] {
  const { worker, peer } = channel()
  office?.attach(peer)
  const metrics = new ProcessMetrics(settings, slot)
  const gatherer = new WorkerGatherer(metrics, worker, patienceMs)
  opened.push(gatherer)
  return [metrics, gatherer]
}

describe('WorkerGatherer', () => {
  it('answers for all workers', async () => {
    const office = new GatherOffice(new RootMetrics(settings, 2))
    const [one, gatherer] = workerOf(1, office)
    const [other] = workerOf(2, office)
    one.sqlite.onRefused?.({ reason: 'queue-full', waitedMs: 0 })
    other.sqlite.onRefused?.({ reason: 'queue-full', waitedMs: 0 })
    other.sqlite.onTransactionEnd?.({ kind: 'write', outcome: 'commit', heldMs: 70 })
    await new Promise((resolve) => setTimeout(resolve))
    const [text, again, contention] = await Promise.all([gatherer.metrics(), gatherer.metrics(), gatherer.contention()])
    expect(text).toContain('gator_writes_refused_total{reason="queue-full"} 2\n')
    expect(text).toContain('gator_transaction_duration_seconds_bucket{le="0.1",kind="write"} 1\n')
    expect(again).toBe(text)
    expect(contention.map(({ worker, refused, longestHolds }) => [worker, refused, longestHolds.length])).toEqual([
      [1, { 'lock-timeout': 0, 'queue-full': 1 }, 0],
      [2, { 'lock-timeout': 0, 'queue-full': 1 }, 1],
    ])
  })

  it('says so when the primary is silent', async () => {
    const [, gatherer] = workerOf(1, undefined, 20)
    await expect(gatherer.metrics()).rejects.toBeInstanceOf(PrimarySilentError)
    await expect(gatherer.contention()).rejects.toBeInstanceOf(PrimarySilentError)
  })
})
