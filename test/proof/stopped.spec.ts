import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import type { Answer, Connection } from '../processes/connection.js'
import { withDatabase } from '../processes/database-file.js'
import { Sandbox } from '../processes/sandbox.js'
import type { ServerProcess } from '../processes/server.js'
import { holdLock } from '../support/lock-holder.js'
import { workersOf } from './kills.js'
import { Ledger, type Outcome } from './ledger.js'
import { Load } from './load.js'
import { say, scale } from './scale.js'
import { quantile, summary } from './statistics.js'

const WORKERS = 3
const STOPPED = 2
const WRITERS = 9
const ENOUGH_WRITES = 60
const REST_MS = 5
/** The office is asked after 250 ms whether it lives, and gone round after as much again. */
const SILENCE_MS = 500
/** The office asks its holder after 250 ms whether it lives, and goes on without it after as much again. */
const TURN_EXPIRY_MS = 500
const MARGIN_MS = 500
const PROMPT_MS = 200
/** So many reads, answered one after another, leave no doubt that a write that came before them has got to its queue. */
const READS = 5
const WRITES = 20

/** The longest time without an acknowledgement between two moments. */
function longestGap(outcomes: readonly Outcome[], from: number, to: number): number {
  const times = outcomes.filter(({ fate, at }) => fate === 'acknowledged' && at > from && at < to).map(({ at }) => at)
  return Math.max(...[...times, to].map((at, index) => at - (times[index - 1] ?? from)))
}

describe('SIGSTOP', () => {
  const sandbox = new Sandbox()
  const ledger = new Ledger()
  let folder: string
  let server: ServerProcess
  let load: Load | undefined
  let stopped: number | undefined

  beforeAll(async () => {
    folder = sandbox.folder()
    server = await sandbox.start({ folder, workers: WORKERS })
  })
  afterEach(async () => {
    if (stopped !== undefined) proceed()
    await load?.stop()
  })
  afterAll(() => sandbox.clear())

  function halt(pid: number): void {
    stopped = pid
    process.kill(pid, 'SIGSTOP')
  }

  function proceed(): void {
    if (stopped !== undefined) process.kill(stopped, 'SIGCONT')
    stopped = undefined
  }

  it('of the primary holds writes up until its silence is noticed, and no longer', async () => {
    load = new Load({
      ledger,
      writers: WRITERS,
      connect: () => sandbox.connect(server),
      name: 'Primary',
      restMs: REST_MS,
    })
    const { outcomes } = load
    await load.progress(ENOUGH_WRITES)
    const stoppedAt = performance.now()
    halt(server.pid)
    await load.progress(ENOUGH_WRITES)
    const noticedAt = performance.now()
    await load.progress(ENOUGH_WRITES)
    const continuedAt = performance.now()
    proceed()
    await load.progress(ENOUGH_WRITES)
    // Whom only the primary can hand to a worker.
    expect((await sandbox.connect(server).request('GET', '/health/ready')).status).toBe(200)
    await load.stop()

    const silence = longestGap(outcomes, stoppedAt, noticedAt)
    const afterwards = longestGap(outcomes, noticedAt, continuedAt)
    say(`primary stopped: no write for ${silence.toFixed(0)} ms, then for ${afterwards.toFixed(0)} ms at most`)
    expect(silence).toBeLessThan(SILENCE_MS + MARGIN_MS)
    // It is not waited for again.
    expect(afterwards).toBeLessThan(SILENCE_MS)
    const workers = new Set(
      outcomes.filter(({ at }) => at > noticedAt && at < continuedAt).map(({ answer }) => answer?.worker),
    )
    expect(workers.size).toBe(WORKERS)
    expect(ledger.total('refused') + ledger.total('unknown')).toBe(0)
    expect(withDatabase(folder, (database) => ledger.judge(database))).toEqual([])
  })

  /**
   * Stops a worker while it stands in the queue, with a single write and so many transactions, behind one worker and
   * before another.
   * @returns how long the one behind it waited from the moment on when the lock was free
   */
  async function stopInQueue(transactions: number): Promise<number> {
    const connections = await sandbox.connectToEachWorker(server, WORKERS)
    const witnesses = await sandbox.connectToEachWorker(server, WORKERS)
    const created = await ledger.create(connections[0] as Connection, `Known ${transactions}`)
    const id = created.answer?.body.id ?? ''
    const count = (slot: number) => ledger.count(connections[slot - 1] as Connection, id)
    /** Sends a write to a worker, and resolves when it waits there. */
    const queue = async (slot: number) => {
      const outcome = count(slot)
      for (let read = 0; read < READS; read++) await witnesses[slot - 1]?.read(id)
      return { outcome }
    }
    for (let slot = 1; slot <= WORKERS; slot++) await count(slot)

    const holder = await holdLock(join(folder, 'gator.db'))
    // The first has its turn and waits for SQLite's lock, which somebody else holds; the others stand behind it.
    const holding = await queue(1)
    // What merges must see the stored value: each is a transaction, with a turn of its own.
    const merges = await transactionsOn(STOPPED, transactions, id)
    const halted = await queue(STOPPED)
    const behind = await queue(WORKERS)
    halt((await workersOf(server)).find(({ slot }) => slot === STOPPED)?.pid ?? NaN)
    const releasedAt = performance.now()
    await holder.release()
    const [atOnce, late] = await Promise.all([holding.outcome, behind.outcome])
    const meanwhile: Outcome[] = []
    for (let write = 0; write < WRITES; write++) meanwhile.push(await count(write % 2 === 0 ? 1 : WORKERS))
    proceed()
    const continued = await halted.outcome
    const afterwards = await count(STOPPED)

    const durations = meanwhile.map(({ answer }) => answer?.durationMs ?? NaN)
    const lateMs = late.at - releasedAt
    say(
      `worker stopped: the write behind it after ${lateMs.toFixed(0)} ms; those that came later ${summary(durations)}`,
    )
    // The one that was stopped has waited for less than the busy timeout.
    for (const { fate } of [created, atOnce, late, ...meanwhile, continued, afterwards])
      expect(fate).toBe('acknowledged')
    for (const { status } of await Promise.all(merges)) expect(status).toBe(200)
    expect(atOnce.at - releasedAt).toBeLessThan(MARGIN_MS)
    expect(quantile(durations, scale.promptShare)).toBeLessThan(PROMPT_MS)
    return lateMs
  }

  async function transactionsOn(slot: number, count: number, id: string) {
    const pending: Promise<Answer>[] = []
    for (let n = 0; n < count; n++) {
      const connection = (await sandbox.connectToEachWorker(server, WORKERS))[slot - 1] as Connection
      const options = {
        body: { style_preferences: { n } },
        headers: { 'content-type': 'application/merge-patch+json' },
      }
      pending.push(connection.request('PATCH', `/api/v1/personas/${id}`, options))
    }
    return pending
  }

  it('of a worker that stands in the queue holds the others up until its turn has expired, and no longer', async () => {
    const lateMs = await stopInQueue(0)
    // It really stood behind the one that was stopped, or this would show nothing.
    expect(lateMs).toBeGreaterThan(TURN_EXPIRY_MS / 2)
    expect(lateMs).toBeLessThan(TURN_EXPIRY_MS + MARGIN_MS)
  })

  it('of a worker that stands in the queue several times holds the others up for one turn', async () => {
    expect(await stopInQueue(2)).toBeLessThan(TURN_EXPIRY_MS + MARGIN_MS)
  })

  it('loses nothing, makes nothing twice, and keeps nothing that was refused', async () => {
    expect(await server.stop()).toEqual({ code: 0, signal: null })
    expect(withDatabase(folder, (database) => ledger.judge(database))).toEqual([])
  })
})
