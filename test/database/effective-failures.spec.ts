import { randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { WriteOutcomeUnknownError } from '../../src/database/database-errors.js'
import { SqliteDatabase } from '../../src/database/sqlite/sqlite-database.js'
import { engineBench, entry, failureOf, FaultyDriver } from './engine-support.js'

const bench = engineBench()
// Not SQLITE_FULL: SQLite says it before it has written the frame that makes the others count.
const CODES = ['SQLITE_BUSY', 'SQLITE_IOERR', 'SQLITE_IOERR_FSYNC', 'SQLITE_READONLY'] as const
const OFTEN = ['once', 'for ever'] as const
const CASES = CODES.flatMap((code) => OFTEN.map((often) => [code, often] as const))
const VALUES = ['a', 'b', 'c']
const timesOf = (often: (typeof OFTEN)[number]) => (often === 'once' ? 1 : Infinity)

const aRow = (name: string) => ({
  data: {
    ...{ id: randomUUID(), name, appearance: 'An appearance', personality: 'A personality' },
    ...{ createdAt: new Date(), updatedAt: new Date() },
  },
})

/** Ways to write a row through Prisma. */
const WAYS = {
  'a write': (database: SqliteDatabase, name: string) => database.write((client) => client.persona.create(aRow(name))),
  'a transaction': (database: SqliteDatabase, name: string) =>
    database.transaction((client) => client.persona.create(aRow(name))),
}

type Way = keyof typeof WAYS

describe('a COMMIT that has taken effect and then fails', () => {
  it.each(CASES)('with %s %s leaves every write of its batch there once at most', async (code, often) => {
    const driver = new FaultyDriver()
    const engine = await bench.openWithLedger({ openDriver: driver.open })
    driver.arm({ at: /^COMMIT/, code, times: timesOf(often), takesEffect: true })
    const results = await Promise.allSettled(VALUES.map((value) => engine.execute(entry(value))))
    driver.disarm()
    const acknowledged = VALUES.filter((_value, index) => results[index]?.status === 'fulfilled')
    await engine.execute(entry('next'))
    const stored = bench.ledger()
    expect(stored).toEqual([...new Set(stored)])
    expect(stored).toEqual(expect.arrayContaining(acknowledged))
  })

  it.each(CASES)('with %s %s leaves a transaction there once at most, and the next one begins', async (code, often) => {
    const driver = new FaultyDriver()
    const engine = await bench.openWithLedger({ openDriver: driver.open })
    driver.arm({ at: /^COMMIT/, code, times: timesOf(often), takesEffect: true })
    const transaction = await engine.begin()
    for (const value of VALUES) transaction.execute(entry(value))
    await failureOf(transaction.commit())
    transaction.rollback()
    driver.disarm()
    await engine.execute(entry('next'))
    expect(bench.ledger()).toEqual([...VALUES, 'next'])
  })

  it.each((Object.keys(WAYS) as Way[]).flatMap((way) => CASES.map(([code, often]) => [code, often, way] as const)))(
    'with %s %s does not have %s told that nothing was written',
    async (code, often, way) => {
      const driver = new FaultyDriver()
      const database = await SqliteDatabase.open({
        ...{ file: bench.file, busyTimeoutMs: 5_000, synchronous: 'NORMAL', openDriver: driver.open },
      })
      try {
        driver.arm({ at: /^COMMIT/, code, times: timesOf(often), takesEffect: true })
        const failure = await failureOf(WAYS[way](database, 'Written'))
        driver.disarm()
        expect(await database.read((client) => client.persona.count())).toBe(1)
        // Acknowledged, since it is there, or left open; anything else says that it is not there.
        if (failure !== undefined) expect(failure).toBeInstanceOf(WriteOutcomeUnknownError)
      } finally {
        await database.close()
      }
    },
  )
})

describe('a BEGIN that has taken effect and then fails', () => {
  it.each(CASES)('with %s %s does not keep the next transaction from beginning', async (code, often) => {
    const driver = new FaultyDriver()
    const engine = await bench.openWithLedger({ openDriver: driver.open, busyTimeoutMs: 60 })
    driver.arm({ at: /^BEGIN/, code, times: timesOf(often), takesEffect: true })
    await failureOf(engine.execute(entry('strikes')))
    driver.disarm()
    await engine.execute(entry('next'))
    expect(bench.ledger().at(-1)).toBe('next')
  })
})
