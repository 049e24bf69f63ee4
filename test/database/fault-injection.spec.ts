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

const MOMENTS = ['before it takes effect', 'after it has taken effect'] as const

interface Point {
  readonly strikes: Omit<Fault, 'code' | 'times' | 'takesEffect'>
  /** Whether something must go wrong first, for the statement to be needed. */
  readonly isToFail?: boolean
  /** Whether only the group committer sends it. */
  readonly isOfGroup?: boolean
  /** The moments at which it can fail here, when not both. After BEGIN and COMMIT: effective-failures.spec.ts. */
  readonly moments?: readonly (typeof MOMENTS)[number][]
}

type PointName =
  | 'BEGIN'
  | 'the second statement'
  | 'the second statement, which ends the transaction'
  | 'COMMIT'
  | 'ROLLBACK'
  | 'the second SAVEPOINT'
  | 'the second RELEASE'
  | 'ROLLBACK TO'

const POINTS: Readonly<Record<PointName, Point>> = {
  BEGIN: { strikes: { at: /^BEGIN/ }, moments: [MOMENTS[0]] },
  'the second statement': { strikes: { at: /^INSERT/, after: 1 } },
  'the second statement, which ends the transaction': {
    strikes: { at: /^INSERT/, after: 1, endsTransaction: true },
    moments: [MOMENTS[0]],
  },
  COMMIT: { strikes: { at: /^COMMIT/ }, moments: [MOMENTS[0]] },
  ROLLBACK: { strikes: { at: /^ROLLBACK/ }, isToFail: true },
  'the second SAVEPOINT': { strikes: { at: /^SAVEPOINT/, after: 1 }, isToFail: true, isOfGroup: true },
  'the second RELEASE': { strikes: { at: /^RELEASE/, after: 1 }, isToFail: true, isOfGroup: true },
  'ROLLBACK TO': { strikes: { at: /^ROLLBACK TO/ }, isToFail: true, isOfGroup: true },
}

/** Tries to write {@link VALUES} (and, for a fault at ROLLBACK, something bad) and answers what was acknowledged. */
type Caller = (engine: SqliteEngine, isToFail: boolean) => Promise<string[]>

const groupCommitted: Caller = async (engine, isToFail) => {
  // After the good ones, so that all of them are made again with savepoints.
  const queries = [...VALUES.map(entry), ...(isToFail ? [sql(BAD)] : [])]
  const results = await Promise.allSettled(queries.map((query) => engine.execute(query)))
  if (isToFail) expect(results.at(-1)).toMatchObject({ status: 'rejected' })
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

interface Case {
  readonly code: (typeof CODES)[number]
  readonly often: 'once' | 'for ever'
  readonly moment: (typeof MOMENTS)[number]
  readonly point: PointName
  readonly caller: CallerName
}

const GROUP: CallerName = 'group-committed writes'
const CALLER_NAMES = Object.keys(CALLERS) as CallerName[]
const CASES: readonly Case[] = (Object.keys(POINTS) as PointName[]).flatMap((point) => {
  const { isOfGroup = false, moments = MOMENTS } = POINTS[point]
  const callers = isOfGroup ? [GROUP] : CALLER_NAMES
  return callers.flatMap((caller) =>
    moments.flatMap((moment) =>
      CODES.flatMap((code) => (['once', 'for ever'] as const).map((often) => ({ code, often, moment, point, caller }))),
    ),
  )
})

/** What must be acknowledged: as much as can be, so that an engine that refuses everything is found out. */
function expected({ code, often, moment, point, caller }: Case): string[] {
  const isGroup = caller === GROUP
  const isOnce = often === 'once'
  const isBefore = moment === MOMENTS[0]
  const isBusyInPassing = code === 'SQLITE_BUSY' && isOnce
  switch (point) {
    case 'BEGIN':
      return isBusyInPassing ? VALUES : []
    case 'the second statement':
    case 'the second statement, which ends the transaction':
      return isGroup && isOnce ? VALUES : []
    case 'COMMIT':
      return isBusyInPassing || (isGroup && isOnce) ? VALUES : []
    case 'ROLLBACK':
      return isGroup ? VALUES : []
    // A savepoint that is there is gone back to, and its write refused alone; without it all writes are made again.
    case 'the second SAVEPOINT':
      if (isBefore) return VALUES
      return isOnce ? ['a', 'c'] : ['a']
    case 'the second RELEASE':
      return isBefore && isOnce ? ['a', 'c'] : VALUES
    case 'ROLLBACK TO':
      return VALUES
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
  it.each(CASES)('with $code $often, at $point, $moment, of $caller', async (example) => {
    const { code, often, moment, point, caller } = example
    const driver = new FaultyDriver()
    const turnstile = new CountingTurnstile()
    const engine = await bench.openWithLedger({
      openDriver: driver.open,
      busyTimeoutMs: BUSY_TIMEOUT_MS,
      turnstile,
    })
    const { strikes, isToFail = false } = POINTS[point]
    driver.arm({ ...strikes, code, times: often === 'once' ? 1 : Infinity, takesEffect: moment === MOMENTS[1] })
    const acknowledged = await CALLERS[caller](engine, isToFail)
    expect(driver.strikes).toBeGreaterThan(0)
    driver.disarm()
    expect(acknowledged).toEqual(expected(example))
    await expectSound(engine, acknowledged)
    expect(turnstile.turnsOut).toBe(0)
  })

  it.each(CALLER_NAMES)('at COMMIT and at ROLLBACK at once, for %s', async (caller) => {
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

  it.each(CALLER_NAMES)('at ROLLBACK, and then cannot be opened again for a while, for %s', async (caller) => {
    const driver = new FaultyDriver()
    const engine = await bench.openWithLedger({ openDriver: driver.open })
    driver.arm({ at: /^COMMIT|^ROLLBACK/, code: 'SQLITE_IOERR' })
    driver.refuseOpening()
    expect(await CALLERS[caller](engine, false)).toEqual([])
    expect(await failureOf(engine.execute(entry('in vain')))).toMatchObject({ code: 'SQLITE_CANTOPEN' })
    driver.disarm()
    await expectSound(engine, [])
  })

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
