import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from '@jest/globals'
import { SqliteEngine } from '../../src/database/sqlite/engine.js'
import { aPersona } from '../processes/a-persona.js'
import { withDatabase } from '../processes/database-file.js'
import { Sandbox } from '../processes/sandbox.js'
import { until } from '../processes/until.js'
import { ForeignProcess } from './foreign-process.js'
import { Ledger, type Outcome } from './ledger.js'
import { Load } from './load.js'
import { saySeed, scale, say } from './scale.js'
import { median, quantile, summary } from './statistics.js'

const QUEUE_LIMIT = 64
const BUSY_TIMEOUT_MS = 5_000
/** With the lock gone for most of the time the engine is the narrow place, and neither HTTP nor this client is. */
const HELD_MS = 980
const FREE_MS = 20
const CAPACITY_MS = 2_000
const TIMES_THE_CAPACITY = 5
const REFUSED_WITHIN_MS = 50
const GROWTH_BYTES = 50 * 1024 * 1024
const RECOVERED_WITHIN_MS = 2_000
const BUCKET_MS = 250
const CONNECTIONS = 400
const WRITERS = 16
const WARM_UP_WRITES = 6_000
const INDEXED_WITHIN_MS = 60_000
const QUEUED = 'SELECT count(*) FROM personas_unindexed'

/** Calls `send` so many times a second, whatever has become of the calls before. */
async function atRate(perSecond: number, durationMs: number, send: (call: number) => void): Promise<void> {
  const start = performance.now()
  for (let sent = 0; performance.now() - start < durationMs; await delay(1)) {
    const due = Math.floor(((performance.now() - start) / 1_000) * perSecond)
    for (; sent < due; sent++) send(sent)
  }
}

/** The median of how many writes were acknowledged in each quarter of a second of a span. */
function throughput(outcomes: readonly Outcome[], from: number, to: number): number {
  const buckets = Array.from({ length: Math.floor((to - from) / BUCKET_MS) }, () => 0)
  for (const { fate, at } of outcomes) {
    const bucket = Math.floor((at - from) / BUCKET_MS)
    if (fate === 'acknowledged' && bucket in buckets) buckets[bucket] = (buckets[bucket] ?? 0) + 1
  }
  return (median(buckets) * 1_000) / BUCKET_MS
}

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

describe('five times as many writes as can be made', () => {
  const sandbox = new Sandbox('SQLite', true)
  const loads: Load[] = []
  let holder: ForeignProcess | undefined
  afterEach(async () => {
    await Promise.all(loads.splice(0).map((load) => load.stop()))
    await holder?.end()
    await sandbox.clear()
  })

  const holdInTurns = async (folder: string) => {
    holder = await ForeignProcess.start('lock-in-turns.mjs', join(folder, 'gator.db'), String(HELD_MS), String(FREE_MS))
    return holder
  }

  it(
    'are refused quickly and in order by the server, whose memory and throughput stay what they were',
    async () => {
      saySeed()
      const folder = sandbox.folder()
      const env = { DATABASE_WRITE_QUEUE_LIMIT: String(QUEUE_LIMIT), DATABASE_BUSY_TIMEOUT_MS: String(BUSY_TIMEOUT_MS) }
      const server = await sandbox.start({ folder, env })
      const ledger = new Ledger()
      const startLoad = (name: string, writers: number, isOnlyCounting = false) => {
        const load = new Load({ ledger, writers, connect: () => sandbox.connect(server), name, isOnlyCounting })
        loads.push(load)
        return load
      }
      // New personas are indexed behind the writes, by a transaction now and then: how many writes there are in some seconds
      // would be chance.
      const measure = async (name: string) => {
        const isIndexed = () => withDatabase(folder, (database) => database.prepare(QUEUED).pluck().get() === 0)
        await until('all words are indexed', isIndexed, INDEXED_WITHIN_MS)
        const load = startLoad(name, WRITERS, true)
        await delay(RECOVERED_WITHIN_MS)
        const start = performance.now()
        await delay(scale.throughputMs)
        await load.stop()
        return throughput(load.outcomes, start, start + scale.throughputMs)
      }
      // A process is slowest, and its heap smallest, at the beginning.
      const warmUp = startLoad('Warm-up', WRITERS)
      await warmUp.progress(WARM_UP_WRITES)
      await warmUp.stop()

      const capacityLocker = await holdInTurns(folder)
      const capacityLoad = startLoad('Capacity', QUEUE_LIMIT)
      await delay(CAPACITY_MS)
      await capacityLoad.stop()
      const capacity = (capacityLoad.acknowledged * 1_000) / CAPACITY_MS
      await capacityLocker.end()

      const connections = Array.from({ length: CONNECTIONS }, () => sandbox.connect(server))
      const target = (await connections[0]?.create(aPersona({ name: 'Capacity of all' })))?.body.id ?? ''
      ledger.noteCreation('Capacity of all', 'acknowledged', target)
      // A connection costs memory whatever comes over it: all of them are open before it is looked at.
      await Promise.all(connections.map((connection) => connection.request('GET', `/api/v1/personas/${target}`)))
      const offer = async () => {
        const restBytes = residentBytes(server.pid)
        let peakBytes = restBytes
        const idle = [...connections]
        const outcomes: Promise<Outcome>[] = []
        await atRate(capacity * TIMES_THE_CAPACITY, scale.overloadMs, () => {
          // One that waits for an answer would keep the next request back, and its time would be the client's doing.
          const connection = idle.pop()
          if (!connection) throw new Error(`${CONNECTIONS} writes wait at a queue of ${QUEUE_LIMIT}.`)
          outcomes.push(ledger.count(connection, target).finally(() => idle.push(connection)))
          if (outcomes.length % CONNECTIONS === 0) peakBytes = Math.max(peakBytes, residentBytes(server.pid))
        })
        const settled = await Promise.all(outcomes)
        return { settled, restBytes, peakBytes: Math.max(peakBytes, residentBytes(server.pid)) }
      }

      const recovered: number[] = []
      for (let round = 1; round <= scale.overloads; round++) {
        const before = await measure(`Before ${round}`)
        const locker = await holdInTurns(folder)
        const { settled, restBytes, peakBytes } = await offer()
        await locker.end()
        const after = await measure(`After ${round}`)
        recovered.push(after / before)

        const refused = settled.filter(({ fate }) => fate === 'refused').map(({ answer }) => answer)
        const refusedMs = refused.map((answer) => answer?.durationMs ?? NaN)
        say(`capacity ${capacity.toFixed(0)}/s, offered ${((settled.length * 1_000) / scale.overloadMs).toFixed(0)}/s`)
        say(`refused ${refused.length} of ${settled.length}, seen by the client: ${summary(refusedMs)}`)
        say(`memory at rest ${(restBytes / 2 ** 20).toFixed(0)} MiB, at most ${(peakBytes / 2 ** 20).toFixed(0)} MiB`)
        say(`throughput ${before.toFixed(0)}/s before, ${after.toFixed(0)}/s after`)

        expect(settled.filter(({ fate }) => fate === 'unknown')).toEqual([])
        expect(refused.length).toBeGreaterThan(settled.length / 3)
        expect([...new Set(refused.map((answer) => `${answer?.status} ${String(answer?.body['type'])}`))]).toEqual([
          expect.stringMatching(/^503 .*write-queue-full$/),
        ])
        for (const answer of refused) expect(Number(answer?.headers['retry-after'])).toBeGreaterThanOrEqual(1)
        expect(quantile(refusedMs, scale.promptShare)).toBeLessThanOrEqual(REFUSED_WITHIN_MS)
        expect(peakBytes - restBytes).toBeLessThanOrEqual(GROWTH_BYTES)
      }
      say(`throughput afterwards to that before: ${recovered.map((ratio) => ratio.toFixed(2)).join(', ')}`)
      expect(median(recovered)).toBeGreaterThanOrEqual(scale.recoveredShare)
      expect(await server.stop()).toEqual({ code: 0, signal: null })
      expect(withDatabase(folder, (database) => ledger.judge(database))).toEqual([])
    },
    scale.testTimeoutMs,
  )

  it(
    'are refused at once by the engine, whose queue stays in its bound',
    async () => {
      const folder = sandbox.folder()
      const file = join(folder, 'gator.db')
      const engine = await SqliteEngine.open({
        file,
        busyTimeoutMs: BUSY_TIMEOUT_MS,
        synchronous: 'NORMAL',
        writeQueueLimit: QUEUE_LIMIT,
      })
      try {
        await engine.executeScript('CREATE TABLE effects (id INTEGER PRIMARY KEY)')
        await holdInTurns(folder)
        const acknowledged: number[] = []
        const refusedMs: number[] = []
        let longestQueue = 0
        const writes: Promise<void>[] = []
        const write = async (id: number) => {
          const start = performance.now()
          try {
            await engine.execute({
              sql: 'INSERT INTO effects VALUES (?)',
              args: [id],
              argTypes: [{ scalarType: 'int', arity: 'scalar' }],
            })
            acknowledged.push(id)
          } catch {
            refusedMs.push(performance.now() - start)
          }
        }
        // What the queue can take in a cycle, times five and more: in the free time it is filled several times over.
        const perSecond = ((QUEUE_LIMIT * 1_000) / (HELD_MS + FREE_MS)) * TIMES_THE_CAPACITY ** 3
        await atRate(perSecond, scale.overloadMs / 3, (id) => {
          writes.push(write(id))
          longestQueue = Math.max(longestQueue, engine.waitingWrites)
        })
        await Promise.all(writes)
        say(
          `engine: offered ${perSecond.toFixed(0)}/s, refused ${refusedMs.length}: ${summary(refusedMs)}; longest queue ${longestQueue}`,
        )
        expect(refusedMs.length).toBeGreaterThan(acknowledged.length)
        expect(quantile(refusedMs, 0.99)).toBeLessThanOrEqual(REFUSED_WITHIN_MS)
        expect(longestQueue).toBe(QUEUE_LIMIT)
        const stored = withDatabase(folder, (database) =>
          database.prepare('SELECT id FROM effects ORDER BY id').pluck().all(),
        )
        expect(stored).toEqual(acknowledged.sort((a, b) => a - b))
      } finally {
        await engine.close()
      }
    },
    scale.testTimeoutMs,
  )
})
