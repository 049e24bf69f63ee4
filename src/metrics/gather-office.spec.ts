import { EventEmitter } from 'node:events'
import { describe, expect, it } from '@jest/globals'
import { Counter, Gauge, Registry } from 'prom-client'
import { parseSettings } from '../config/settings.js'
import type { GatherAnswer, Gathered } from './gather-messages.js'
import { GatherOffice } from './gather-office.js'
import { RootMetrics } from './root-metrics.js'
import { render, type Snapshot, takeSnapshot, withoutGauges } from './snapshot.js'

const PATIENCE_MS = 50

/** A worker on the other end of the channel, which counts to `count`. */
class Worker extends EventEmitter {
  readonly heard: GatherAnswer[] = []
  readonly #registry = new Registry()
  isStopped = false

  constructor(count: number) {
    super()
    new Counter({ name: 'seen_total', help: 'seen', registers: [this.#registry] }).inc(count)
    new Gauge({ name: 'depth', help: 'depth', registers: [this.#registry] }).set(count)
  }

  send(message: GatherAnswer): boolean {
    this.heard.push(message)
    if (message.gator === 'gather-want' && !this.isStopped) void this.give(message.what)
    return true
  }

  async give(what: Gathered): Promise<void> {
    const json = JSON.stringify(what === 'metrics' ? await takeSnapshot(this.#registry) : { worker: 7 })
    this.emit('message', { gator: 'gather-part', what, json })
  }
}

async function officeOf(...workers: Worker[]): Promise<GatherOffice> {
  const root = new RootMetrics(parseSettings({}, false), workers.length)
  const office = new GatherOffice(root, PATIENCE_MS)
  for (const worker of workers) office.attach(worker)
  for (const worker of workers) await worker.give('metrics')
  return office
}

async function numbersOf(office: GatherOffice): Promise<Record<string, number>> {
  const parts = await office.gather('metrics')
  const snapshots = parts.map(({ json, isCurrent }) => {
    const snapshot = JSON.parse(json) as Snapshot
    return isCurrent ? snapshot : withoutGauges(snapshot)
  })
  const lines = (await render(snapshots)).split('\n').filter((line) => /^(seen_total|depth|gator_workers_)/.test(line))
  return Object.fromEntries(lines.map((line) => line.split(' ')).map(([name = '', value]) => [name, Number(value)]))
}

describe('GatherOffice', () => {
  it('answers the sum over the workers', async () => {
    const office = await officeOf(new Worker(1), new Worker(10))
    expect(await numbersOf(office)).toEqual({ seen_total: 11, depth: 11, gator_workers_answering: 2 })
  })

  it('goes on without a worker that does not answer, and keeps what it had counted', async () => {
    const stopped = new Worker(10)
    const office = await officeOf(new Worker(1), stopped)
    stopped.isStopped = true
    expect(await numbersOf(office)).toEqual({ seen_total: 11, depth: 1, gator_workers_answering: 1 })
    // It is not asked again and again while it does not read.
    await office.gather('metrics')
    expect(stopped.heard).toHaveLength(1)
    stopped.isStopped = false
    await stopped.give('metrics')
    expect(await numbersOf(office)).toMatchObject({ gator_workers_answering: 2 })
  })

  it('keeps what the dead had counted, each once', async () => {
    const [one, other] = [new Worker(10), new Worker(100)]
    const office = await officeOf(new Worker(1), one, other)
    one.emit('exit')
    other.emit('exit')
    const expected = { seen_total: 111, depth: 1, gator_workers_answering: 1 }
    expect(await numbersOf(office)).toEqual(expected)
    expect(await numbersOf(office)).toEqual(expected)
  })

  it('does not wait for a worker that dies while it is asked', async () => {
    const dying = new Worker(10)
    const root = new RootMetrics(parseSettings({}, false), 1)
    const office = new GatherOffice(root, 20_000)
    office.attach(dying)
    await dying.give('metrics')
    dying.isStopped = true
    const numbers = numbersOf(office)
    dying.emit('exit')
    expect(await numbers).toMatchObject({ gator_workers_answering: 0 })
  })

  it('asks no worker that has not spoken: it may not hear yet', async () => {
    const office = await officeOf(new Worker(1))
    const starting = new Worker(5)
    office.attach(starting)
    expect(await numbersOf(office)).toEqual({ seen_total: 1, depth: 1, gator_workers_answering: 1 })
    expect(starting.heard).toEqual([])
  })

  it('answers whoever asks', async () => {
    const asking = new Worker(1)
    const office = await officeOf(asking)
    await asking.give('contention')
    asking.emit('message', { gator: 'gather-ask', what: 'contention' })
    await office.gather('contention')
    await new Promise(setImmediate)
    const parts = [{ json: '{"worker":7}', isCurrent: true }]
    expect(asking.heard.at(-1)).toEqual({ gator: 'gather-all', what: 'contention', parts })
  })
})
