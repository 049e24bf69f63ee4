import { describe, expect, it } from '@jest/globals'
import BetterSqlite3 from 'better-sqlite3'
import { SqliteAdapterFactory } from '../../src/database/sqlite/adapter.js'
import type { SqliteEngine } from '../../src/database/sqlite/engine.js'
import { PrismaClient } from '../../src/generated/sqlite/client.js'
import {
  CountingTurnstile,
  engineBench,
  entry,
  failureOf,
  type Fault,
  FaultyDriver,
  INSERT,
  PROMPT_MS,
  sql,
} from './engine-support.js'

const bench = engineBench()

/** Long enough for a fault that passes, short enough for one that does not. */
const BUSY_TIMEOUT_MS = 60
const CODES = ['SQLITE_BUSY', 'SQLITE_FULL', 'SQLITE_IOERR', 'SQLITE_READONLY'] as const
const VALUES = ['a', 'b', 'c']
const BAD = "INSERT INTO ledger (value) VALUES ('longer than a value may be')"

const POINTS: Readonly<Record<string, Omit<Fault, 'code' | 'times'>>> = {
  BEGIN: { at: /^BEGIN/ },
  'the second statement': { at: /^INSERT/, after: 1 },
  'the second statement, which ends the transaction': { at: /^INSERT/, after: 1, endsTransaction: true },
  COMMIT: { at: /^COMMIT/ },
  ROLLBACK: { at: /^ROLLBACK/ },
}

/** Tries to write {@link VALUES} (and, for a fault at ROLLBACK, something bad) and answers what was acknowledged. */
type Caller = (engine: SqliteEngine, isToFail: boolean) => Promise<string[]>

const groupCommitted: Caller = async (engine, isToFail) => {
  const queries = VALUES.map(entry)
  if (isToFail) queries.splice(1, 0, sql(BAD))
  const results = await Promise.allSettled(queries.map((query) => engine.execute(query)))
  if (isToFail) expect(results.splice(1, 1)).toMatchObject([{ reason: { code: 'SQLITE_CONSTRAINT_CHECK' } }])
  return VALUES.filter((_value, index) => results[index]?.status === 'fulfilled')
}

const throughPrisma: Caller = async (engine, isToFail) => {
  const client = new PrismaClient({ adapter: new SqliteAdapterFactory(engine) })
  let runs = 0
  const failure = await failureOf(
    client.$transaction(async (transaction) => {
      runs += 1
      for (const value of VALUES) await transaction.$executeRawUnsafe(INSERT, value)
      if (isToFail) throw new Error('the callback has changed its mind')
    }),
  )
  await client.$disconnect()
  expect(runs).toBeLessThanOrEqual(1)
  return failure === undefined ? VALUES : []
}

const begun: Caller = async (engine, isToFail) => {
  const work = async () => {
    const transaction = await engine.begin()
    try {
      for (const value of VALUES) transaction.execute(entry(value))
      if (isToFail) throw new Error('the caller has changed its mind')
      await transaction.commit()
    } finally {
      transaction.rollback()
    }
  }
  return (await failureOf(work())) === undefined ? VALUES : []
}

const CALLERS = {
  'group-committed writes': groupCommitted,
  'a transaction through Prisma': throughPrisma,
  'engine.begin()': begun,
}

type CallerName = keyof typeof CALLERS

const CASES = Object.keys(CALLERS).flatMap((caller) =>
  Object.keys(POINTS).flatMap((point) =>
    CODES.flatMap((code) =>
      (['once', 'for ever'] as const).map((often) => [code, often, point, caller as CallerName] as const),
    ),
  ),
)

/** What must be acknowledged: as much as can be, so that an engine that refuses everything is found out. */
function expected(code: string, often: 'once' | 'for ever', point: string, caller: CallerName): string[] {
  const isGroup = caller === 'group-committed writes'
  const isBusyInPassing = code === 'SQLITE_BUSY' && often === 'once'
  switch (point) {
    case 'BEGIN':
      return isBusyInPassing ? VALUES : []
    case 'the second statement':
      if (!isGroup) return []
      return often === 'once' ? ['a', 'c'] : ['a']
    case 'the second statement, which ends the transaction':
      return isGroup && often === 'once' ? VALUES : []
    case 'COMMIT':
      return isBusyInPassing || (isGroup && often === 'once') ? VALUES : []
    case 'ROLLBACK':
      return isGroup ? VALUES : []
    default:
      throw new Error(`no such point: ${point}`)
  }
}

/** The engine writes at once, as does somebody else, and the table holds nothing but what was acknowledged. */
async function expectSound(engine: SqliteEngine, acknowledged: string[]): Promise<void> {
  expect(bench.ledger()).toEqual(acknowledged)
  const start = performance.now()
  await engine.execute(entry('next'))
  const transaction = await engine.begin()
  transaction.execute(entry('and next'))
  await transaction.commit()
  expect(performance.now() - start).toBeLessThan(PROMPT_MS)
  expect(engine.waitingWrites).toBe(0)
  const foreign = new BetterSqlite3(bench.file, { timeout: 0 })
  try {
    foreign.prepare(INSERT).run('foreign')
    expect(foreign.pragma('integrity_check', { simple: true })).toBe('ok')
  } finally {
    foreign.close()
  }
  expect(bench.ledger()).toEqual([...acknowledged, 'next', 'and next', 'foreign'])
}

describe('a driver that fails', () => {
  it.each(CASES)('with %s %s at %s of %s', async (code, often, point, caller) => {
    const driver = new FaultyDriver()
    const turnstile = new CountingTurnstile()
    const engine = await bench.openWithLedger({
      openDriver: driver.open,
      busyTimeoutMs: BUSY_TIMEOUT_MS,
      turnstile,
    })
    const place = POINTS[point]
    if (!place) throw new Error(`no such point: ${point}`)
    driver.arm({ ...place, code, times: often === 'once' ? 1 : Infinity })
    const acknowledged = await CALLERS[caller](engine, point === 'ROLLBACK')
    expect(driver.strikes).toBeGreaterThan(0)
    driver.disarm()
    expect(acknowledged).toEqual(expected(code, often, point, caller))
    await expectSound(engine, acknowledged)
    expect(turnstile.turnsOut).toBe(0)
  })

  it.each(Object.keys(CALLERS) as CallerName[])('at COMMIT and at ROLLBACK at once, for %s', async (caller) => {
    const replaced: string[] = []
    const observer = { onWriterReplaced: ({ reason }: { reason: string }) => replaced.push(reason) }
    const driver = new FaultyDriver()
    const engine = await bench.openWithLedger({ openDriver: driver.open, observer })
    driver.arm({ at: /^COMMIT|^ROLLBACK/, code: 'SQLITE_IOERR' })
    expect(await CALLERS[caller](engine, false)).toEqual([])
    expect(replaced.length).toBeGreaterThan(0)
    driver.disarm()
    await expectSound(engine, [])
  })

  it.each(Object.keys(CALLERS) as CallerName[])(
    'at ROLLBACK, and then cannot be opened again for a while, for %s',
    async (caller) => {
      const driver = new FaultyDriver()
      const engine = await bench.openWithLedger({ openDriver: driver.open })
      driver.arm({ at: /^COMMIT|^ROLLBACK/, code: 'SQLITE_IOERR' })
      driver.refuseOpening()
      expect(await CALLERS[caller](engine, false)).toEqual([])
      expect(await failureOf(engine.execute(entry('in vain')))).toMatchObject({ code: 'SQLITE_CANTOPEN' })
      driver.disarm()
      await expectSound(engine, [])
    },
  )

  it('at a statement that ends the transaction lets nobody commit the rest of it', async () => {
    const driver = new FaultyDriver()
    const engine = await bench.openWithLedger({ openDriver: driver.open })
    const transaction = await engine.begin()
    transaction.execute(entry('before'))
    driver.arm({ at: /^INSERT/, code: 'SQLITE_FULL', times: 1, endsTransaction: true })
    expect(() => transaction.execute(entry('strikes'))).toThrow('injected SQLITE_FULL')
    const closed = { cause: { kind: 'TransactionAlreadyClosed' } }
    expect(await failureOf(transaction.commit())).toMatchObject(closed)
    expect(await failureOf(Promise.resolve().then(() => transaction.execute(entry('after'))))).toMatchObject(closed)
    await expectSound(engine, [])
  })

  it('at COMMIT, busy in passing, commits the same transaction at a later attempt', async () => {
    const trace: string[] = []
    const driver = new FaultyDriver()
    const engine = await bench.openWithLedger({
      openDriver: driver.open,
      observer: { onStatement: ({ sql: text }) => trace.push(text) },
    })
    driver.arm({ at: /^COMMIT/, code: 'SQLITE_BUSY', times: 2 })
    await engine.execute(entry('a'))
    expect(trace.slice(-3)).toEqual(['COMMIT', 'COMMIT', 'COMMIT'])
    expect(trace.filter((text) => text.startsWith('BEGIN'))).toHaveLength(1)
    await expectSound(engine, ['a'])
  })

  it('that meets an old snapshot is told of, counted, and not tried again', async () => {
    let snapshots = 0
    const driver = new FaultyDriver()
    const engine = await bench.openWithLedger({
      openDriver: driver.open,
      observer: { onBusySnapshot: () => (snapshots += 1) },
    })
    driver.arm({ at: /^INSERT/, code: 'SQLITE_BUSY_SNAPSHOT' })
    expect(await failureOf(engine.execute(entry('a')))).toMatchObject({ code: 'SQLITE_BUSY_SNAPSHOT' })
    expect([snapshots, driver.strikes]).toEqual([1, 1])
    driver.disarm()
    await expectSound(engine, [])
  })

  it.each(Object.keys(CALLERS) as CallerName[])(
    'at a COMMIT that is out of the transaction then never makes it again, for %s',
    async (caller) => {
      const driver = new FaultyDriver()
      const engine = await bench.openWithLedger({ openDriver: driver.open })
      driver.arm({ at: /^COMMIT/, code: 'SQLITE_IOERR', times: 1, endsTransaction: true })
      expect(await CALLERS[caller](engine, false)).toEqual([])
      driver.disarm()
      await expectSound(engine, [])
    },
  )

  it('at the ROLLBACK of the watchdog, and then cannot be opened, harms nobody', async () => {
    const driver = new FaultyDriver()
    const engine = await bench.openWithLedger({ openDriver: driver.open, idleTimeoutMs: 20 })
    const transaction = await engine.begin()
    transaction.execute(entry('lost'))
    driver.arm({ at: /^ROLLBACK/, code: 'SQLITE_IOERR' })
    driver.refuseOpening()
    expect(await failureOf(engine.begin())).toMatchObject({ code: 'SQLITE_CANTOPEN' })
    expect(transaction.isOpen).toBe(false)
    driver.disarm()
    await expectSound(engine, [])
  })
})
