import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { TicketOffice } from '../../src/database/sqlite/ticket-office.js'
import { engineBench } from './engine-support.js'

const LONGEST_TURN_MS = 10_000
/** A turn that has come is heard of within this; without it, the office's patience of 500 ms would have to pass. */
const SOON_MS = 400

const children: ChildProcess[] = []

afterEach(async () => {
  const running = children.splice(0).filter((child) => child.exitCode === null && child.signalCode === null)
  await Promise.all(
    running.map((child) => {
      child.kill('SIGKILL')
      return once(child, 'exit')
    }),
  )
})

/** Starts a script of this folder with pipes for its input and output, and hears every line that it prints. */
function start(script: string, args: string[], hear: (line: string) => void): ChildProcess {
  const path = join(process.cwd(), 'test', 'database', script)
  const child = fork(path, args, { execArgv: [], stdio: ['pipe', 'pipe', 'inherit', 'ipc'] })
  children.push(child)
  if (!child.stdout) throw new Error('the child has no standard output')
  createInterface(child.stdout).on('line', hear)
  return child
}

/** Resolves when `condition` holds; it is looked at whenever there may be news. */
async function until(condition: () => boolean, withinMs: number, what: string): Promise<void> {
  const end = performance.now() + withinMs
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`)
    await delay(2)
  }
}

describe('a ticket office of real processes', () => {
  let heard: string[]
  let office: TicketOffice

  beforeEach(() => {
    heard = []
    office = new TicketOffice(LONGEST_TURN_MS)
  })

  async function worker(): Promise<ChildProcess> {
    const child = start('ticket-process.mjs', [], (line) => heard.push(line))
    office.attach(child)
    const ready = heard.length
    await until(() => heard.length > ready, 10_000, 'a worker is ready')
    heard.length = 0
    return child
  }

  /** Sends an order and resolves when the office has dealt with what came of it. */
  async function order(child: ChildProcess, what: string, name: string): Promise<void> {
    const isHeard = once(child, 'message')
    child.send({ order: what, name })
    await isHeard
  }

  const hears = (names: string[]) =>
    until(() => heard.join() === names.join(), SOON_MS, `${names.join()} (${heard.join()})`)

  it('serves them first come, first served', async () => {
    const [one, two, three] = [await worker(), await worker(), await worker()]
    await order(one, 'enter', 'a')
    await order(three, 'enter', 'b')
    await order(two, 'enter', 'c')
    await order(one, 'enter', 'd')
    await hears(['a'])
    await order(one, 'leave', 'a')
    await hears(['a', 'b'])
    await order(three, 'leave', 'b')
    await hears(['a', 'b', 'c'])
    await order(two, 'leave', 'c')
    await hears(['a', 'b', 'c', 'd'])
  })

  it.each(['killed', 'disconnected'])('takes the ticket of a worker that is %s back', async (how) => {
    const [one, two] = [await worker(), await worker()]
    await order(one, 'enter', 'a')
    await hears(['a'])
    await order(two, 'enter', 'b')
    if (how === 'killed') one.kill('SIGKILL')
    else one.send({ order: 'disconnect' })
    await hears(['a', 'b'])
  })

  it('lets everybody through when it is gone', async () => {
    const [one, two] = [await worker(), await worker()]
    await order(one, 'enter', 'a')
    await order(two, 'enter', 'b')
    await hears(['a'])
    two.disconnect()
    await hears(['a', 'b'])
  })
})

describe('three writers and a primary that stops for a while', () => {
  const bench = engineBench()

  interface Report {
    readonly name: string
    readonly count: number
    readonly grants: number
  }

  it('write on, are in order again afterwards, and lose nothing', async () => {
    const setUp = await bench.openWithLedger()
    await setUp.close()
    const latest = new Map<string, Report>()
    const primary = start('ticket-primary.mjs', [bench.file], (line) => {
      const report = JSON.parse(line) as Report
      latest.set(report.name, report)
    })
    /** Resolves when each writer has got so many more. */
    const progress = async (what: 'count' | 'grants', more: number, during: string) => {
      const before = new Map(latest)
      const isFurther = (report: Report) => report[what] >= (before.get(report.name)?.[what] ?? 0) + more
      await until(() => latest.size === 3 && [...latest.values()].every(isFurther), 10_000, during)
    }
    try {
      await progress('grants', 20, 'turns from the office at first')
      primary.kill('SIGSTOP')
      // It is stopped for a second at the least, and for as long as it takes to see that they go on without it.
      await Promise.all([delay(1_000), progress('count', 50, 'commits while the office is stopped')])
      await progress('count', 20, 'commits after a second')
      const beforeContinue = new Map(latest)
      primary.kill('SIGCONT')
      await progress('grants', 20, 'turns from the office when it goes on')
      for (const [name, { grants }] of latest) expect(grants).toBeGreaterThan(beforeContinue.get(name)?.grants ?? 0)
      const written = bench.ledger().length
      await until(() => bench.ledger().length >= written + 90, 10_000, 'ninety more')
      const served = bench.ledger().slice(written, written + 90)
      for (const name of latest.keys()) expect(served.filter((value) => value === name).length).toBeGreaterThan(20)
    } finally {
      primary.kill('SIGCONT')
      primary.kill('SIGTERM')
    }
    await once(primary, 'close')
    const acknowledged = [...latest.values()].map(({ count }) => count)
    expect(bench.ledger()).toHaveLength(acknowledged.reduce((sum, count) => sum + count))
  })
})
