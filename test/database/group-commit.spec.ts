import { describe, expect, it } from '@jest/globals'
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises'
import { engineBench, entry, failureOf, FaultyDriver, INSERT, sql, unattended } from './engine-support.js'

const bench = engineBench()

const TAKE_SLOT = "INSERT INTO ledger (value, slot) VALUES ('taken', 'a slot')"
/** A turn lasts 4 ms; the rest is a busy machine. */
const LOOP_MS = 40
const UNIQUE = { code: 'SQLITE_CONSTRAINT_UNIQUE' }

const batchOf = (...statements: string[]): string[] => ['BEGIN IMMEDIATE', ...statements, 'COMMIT']
const guarded = (statement: string): string[] => ['SAVEPOINT write', statement, 'RELEASE write']

describe('writes that are submitted together', () => {
  it('share one transaction, and are answered in order after its COMMIT', async () => {
    const trace: string[] = []
    const engine = await bench.openWithLedger({ observer: { onStatement: ({ sql: text }) => trace.push(text) } })
    const values = ['a', 'b', 'c']
    const seen: string[][] = []
    await Promise.all(
      values.map(async (value) => {
        await engine.execute(entry(value))
        trace.push(`answered ${value}`)
        seen.push(bench.ledger())
      }),
    )
    expect(trace).toEqual([...batchOf(INSERT, INSERT, INSERT), 'answered a', 'answered b', 'answered c'])
    expect(seen).toEqual([values, values, values])
  })

  it('are joined by those that come while the lock is waited for', async () => {
    const sizes: number[] = []
    const engine = await bench.openWithLedger({ observer: { onBatch: ({ size }) => sizes.push(size) } })
    const release = bench.holdLock()
    const first = engine.execute(entry('first'))
    await nextTurn()
    const second = engine.execute(entry('second'))
    release()
    await Promise.all([first, second])
    expect(sizes).toEqual([2])
  })

  it('are committed in several batches when they are more than one may hold', async () => {
    const sizes: number[] = []
    const engine = await bench.openWithLedger({ observer: { onBatch: ({ size }) => sizes.push(size) } })
    const values = Array.from({ length: 200 }, (_value, n) => `v${n}`)
    await Promise.all(values.map((value) => engine.execute(entry(value))))
    expect(bench.ledger()).toEqual(values)
    expect(sizes.reduce((sum, size) => sum + size)).toBe(200)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(64)
    expect(sizes.length).toBeLessThan(100)
  })

  it('leave the event loop to others between two turns, however many they are', async () => {
    const engine = await bench.openWithLedger({ writeQueueLimit: 4_000 })
    const writes = Array.from({ length: 4_000 }, (_value, n) => engine.execute(entry(`v${n}`)))
    const turns: number[] = []
    let last = performance.now()
    let isDone = false
    const all = Promise.all(writes).then(() => (isDone = true))
    while (!isDone) {
      await nextTurn()
      turns.push(performance.now() - last)
      last = performance.now()
    }
    await all
    expect(bench.ledger()).toHaveLength(4_000)
    // The first one takes in all 4,000; each of the others is a turn at the lock at most.
    const longest = Math.max(...turns.slice(2))
    expect(turns.length).toBeGreaterThan(5)
    expect(longest).toBeLessThan(LOOP_MS)
  })

  it('get their own results', async () => {
    const engine = await bench.openWithLedger()
    const returning = (value: string) => engine.query(sql(`${INSERT} RETURNING value`, value))
    const [one, two] = await Promise.all([returning('one'), returning('two')])
    expect([one.rows, two.rows]).toEqual([[['one']], [['two']]])
  })
})

describe('a bad write among good ones', () => {
  it.each([
    ['breaks a UNIQUE', "INSERT INTO ledger (value, slot) VALUES ('bad', 'a slot')", UNIQUE],
    ['breaks a CHECK', `INSERT INTO ledger (value) VALUES ('${'x'.repeat(20)}')`, { code: 'SQLITE_CONSTRAINT_CHECK' }],
    ['is refused half way', "INSERT INTO ledger (value, slot) VALUES ('bad', 'free'), ('bad', 'a slot')", UNIQUE],
    [
      'keeps its first half (OR FAIL)',
      "INSERT OR FAIL INTO ledger (value, slot) VALUES ('bad', 'b'), ('bad', 'a slot')",
      UNIQUE,
    ],
  ])('that %s is refused alone, from its savepoint', async (_what, text, refusal) => {
    const trace: string[] = []
    const engine = await bench.openWithLedger({ observer: { onStatement: ({ sql: run }) => trace.push(run) } })
    await engine.execute(sql(TAKE_SLOT))
    trace.length = 0
    const writes = [entry('a'), sql(text), entry('b')].map((query) => engine.execute(query))
    const results = await Promise.allSettled(writes)
    expect(results).toMatchObject([{ value: 1 }, { reason: refusal }, { value: 1 }])
    expect(bench.ledger()).toEqual(['taken', 'a', 'b'])
    const undone = ['SAVEPOINT write', text, 'ROLLBACK TO write', 'RELEASE write']
    expect(trace).toEqual([
      ...['BEGIN IMMEDIATE', INSERT, text, 'ROLLBACK'],
      ...batchOf(...guarded(INSERT), ...undone),
      ...batchOf(INSERT),
    ])
  })

  it.each([
    ['OR ROLLBACK', "INSERT OR ROLLBACK INTO ledger (value, slot) VALUES ('bad', 'a slot')", UNIQUE],
    ['a trigger', "INSERT INTO ledger (value) VALUES ('bomb')", { code: 'SQLITE_CONSTRAINT_TRIGGER' }],
  ])('that rolls everything back by %s costs its neighbours nothing', async (_what, text, refusal) => {
    const sizes: number[] = []
    const engine = await bench.openWithLedger({ observer: { onBatch: ({ size }) => sizes.push(size) } })
    await engine.execute(sql(TAKE_SLOT))
    sizes.length = 0
    const writes = [entry('a'), entry('b'), sql(text), entry('c'), sql(text), entry('d')]
    const results = await Promise.allSettled(writes.map((query) => engine.execute(query)))
    const [good, bad] = [{ value: 1 }, { reason: refusal }]
    expect(results).toMatchObject([good, good, bad, good, bad, good])
    expect(bench.ledger()).toEqual(['taken', 'a', 'b', 'c', 'd'])
    // Those of the batch that came to nothing are replayed each in a transaction of its own.
    expect(sizes.slice(0, 2)).toEqual([1, 1])
  })
})

describe('a COMMIT that fails', () => {
  const values = ['a', 'b', 'c']

  it.each(['SQLITE_BUSY', 'SQLITE_FULL', 'SQLITE_IOERR'])('with %s once is made good', async (code) => {
    const driver = new FaultyDriver()
    const engine = await bench.openWithLedger({ openDriver: driver.open })
    driver.arm({ at: /^COMMIT$/, code, times: 1 })
    await Promise.all(values.map((value) => engine.execute(entry(value))))
    expect(bench.ledger()).toEqual(values)
  })

  it.each(['SQLITE_BUSY', 'SQLITE_FULL', 'SQLITE_IOERR'])('with %s for ever refuses them all', async (code) => {
    const driver = new FaultyDriver()
    const engine = await bench.openWithLedger({ openDriver: driver.open })
    driver.arm({ at: /^COMMIT$/, code })
    const results = await Promise.allSettled(values.map((value) => engine.execute(entry(value))))
    expect(results).toMatchObject(values.map(() => ({ status: 'rejected', reason: { code } })))
    expect(bench.ledger()).toEqual([])
    driver.disarm()
    await Promise.all(values.map((value) => engine.execute(entry(value))))
    expect(bench.ledger()).toEqual(values)
  })

  it('is not taken for one that came from a transaction that SQLite has rolled back', async () => {
    const driver = new FaultyDriver()
    const engine = await bench.openWithLedger({ openDriver: driver.open })
    driver.arm({ at: /^INSERT/, after: 2, times: 1, code: 'SQLITE_FULL', endsTransaction: true })
    await Promise.all(values.map((value) => engine.execute(entry(value))))
    expect(bench.ledger()).toEqual(values)
  })
})

describe('waiting', () => {
  it('ends for each write at its own deadline', async () => {
    const engine = await bench.openWithLedger({ busyTimeoutMs: 400 })
    const release = bench.holdLock()
    const early = failureOf(engine.execute(entry('early')))
    await delay(200)
    const late = unattended(engine.execute(entry('late')))
    expect(await early).toMatchObject({ cause: { kind: 'SocketTimeout' } })
    release()
    expect(await late).toBe(1)
    expect(bench.ledger()).toEqual(['late'])
  })

  it('tells the observer of each write that was refused', async () => {
    const reasons: string[] = []
    const observer = { onRefused: ({ reason }: { reason: string }) => reasons.push(reason) }
    const engine = await bench.openWithLedger({ busyTimeoutMs: 50, observer })
    const release = bench.holdLock()
    await Promise.allSettled(['a', 'b', 'c'].map((value) => engine.execute(entry(value))))
    release()
    expect(reasons).toEqual(['lock-timeout', 'lock-timeout', 'lock-timeout'])
  })

  it.each(['another process', 'a transaction of this process'])('for %s is bounded', async (holder) => {
    const reasons: string[] = []
    const observer = { onRefused: ({ reason }: { reason: string }) => reasons.push(reason) }
    const engine = await bench.openWithLedger({ writeQueueLimit: 3, observer })
    const transaction = holder === 'another process' ? null : await engine.begin()
    const release = transaction ? () => transaction.rollback() : bench.holdLock()
    const waiting: Promise<number>[] = []
    for (const value of ['a', 'b', 'c']) {
      waiting.push(unattended(engine.execute(entry(value))))
      await nextTurn()
    }
    expect(engine.waitingWrites).toBe(3)
    const refusal = { cause: { kind: 'SocketTimeout', originalCode: 'WRITE_QUEUE_FULL' } }
    const outcome = failureOf(engine.execute(entry('one too many')))
    expect(await Promise.race([outcome, nextTurn('waits')])).toMatchObject(refusal)
    expect(await failureOf(engine.begin())).toMatchObject(refusal)
    expect(reasons).toEqual(['queue-full', 'queue-full'])
    release()
    await Promise.all(waiting)
    await engine.execute(entry('d'))
    expect(bench.ledger()).toEqual(['a', 'b', 'c', 'd'])
    expect(engine.waitingWrites).toBe(0)
  })
})
