import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { SqliteAdapterFactory } from '../../src/database/sqlite/adapter.js'
import type { SqliteEngine } from '../../src/database/sqlite/engine.js'
import { PrismaClient } from '../../src/generated/sqlite/client.js'
import { engineBench, entry, type Fault, FaultyDriver, INSERT, sql } from './engine-support.js'

const bench = engineBench()
const RUNS = 200
const BUSY_TIMEOUT_MS = 20

/** Each kind of write makes its rows' values from its own number, so that the table tells who wrote what. */
const KINDS = ['good', 'two rows', 'unique', 'check', 'or rollback', 'or fail', 'bomb', 'begin', 'prisma'] as const
type Kind = (typeof KINDS)[number]

interface Attempt {
  readonly values: readonly string[]
  readonly run: () => Promise<unknown>
}

const fault: fc.Arbitrary<Fault> = fc.record({
  at: fc.constantFrom(/^BEGIN/, /^INSERT/, /^COMMIT/, /^ROLLBACK/, /^SAVEPOINT/, /^RELEASE/, /^ROLLBACK$/),
  code: fc.constantFrom('SQLITE_BUSY', 'SQLITE_FULL', 'SQLITE_IOERR', 'SQLITE_READONLY'),
  after: fc.nat({ max: 12 }),
  times: fc.constantFrom(1, 2, 5, Infinity),
  endsTransaction: fc.boolean(),
})

/** What fails although it has taken effect. Of a COMMIT nobody can say then what became of its writes. */
const effectiveFault: fc.Arbitrary<Fault> = fc.record({
  at: fc.constantFrom(/^INSERT/, /^ROLLBACK/, /^SAVEPOINT/, /^RELEASE/, /^ROLLBACK TO/),
  code: fc.constantFrom('SQLITE_FULL', 'SQLITE_IOERR', 'SQLITE_READONLY'),
  after: fc.nat({ max: 12 }),
  times: fc.constantFrom(1, 2, 5, Infinity),
  takesEffect: fc.constant(true),
})

const faults = fc.array(fc.oneof(fault, effectiveFault), { maxLength: 3 })

describe('any mix of writes, good and bad, with any faults', () => {
  const driver = new FaultyDriver()
  let engine: SqliteEngine
  let client: PrismaClient

  beforeEach(async () => {
    engine = await bench.openWithLedger({ openDriver: driver.open, busyTimeoutMs: BUSY_TIMEOUT_MS })
    client = new PrismaClient({ adapter: new SqliteAdapterFactory(engine) })
    await engine.execute(sql("INSERT INTO ledger (value, slot) VALUES ('taken', 'a slot')"))
  })
  afterEach(() => client.$disconnect())

  function attempt(kind: Kind, n: number): Attempt {
    const values = kind === 'good' ? [`v${n}`] : [`v${n}`, `w${n}`]
    const inOne = (how: string, slot: string | null) => () =>
      engine.execute(sql(`${how} INTO ledger (value, slot) VALUES (?, NULL), (?, ?)`, ...values, slot))
    switch (kind) {
      case 'good':
        return { values, run: () => engine.execute(entry(`v${n}`)) }
      case 'two rows':
        return { values, run: inOne('INSERT', null) }
      case 'unique':
        return { values, run: inOne('INSERT', 'a slot') }
      case 'or rollback':
        return { values, run: inOne('INSERT OR ROLLBACK', 'a slot') }
      case 'or fail':
        return { values, run: inOne('INSERT OR FAIL', 'a slot') }
      case 'check':
        return { values, run: () => engine.execute(entry('longer than a value may be')) }
      case 'bomb':
        return { values, run: () => engine.execute(entry('bomb')) }
      case 'begin':
        return { values, run: () => begunWrite(values) }
      case 'prisma':
        return {
          values,
          run: () =>
            client.$transaction(async (transaction) => {
              for (const value of values) await transaction.$executeRawUnsafe(INSERT, value)
            }),
        }
    }
  }

  async function begunWrite(values: readonly string[]): Promise<void> {
    const transaction = await engine.begin()
    try {
      for (const value of values) transaction.execute(entry(value))
      await transaction.commit()
    } finally {
      transaction.rollback()
    }
  }

  it('keeps what it acknowledges, once, and nothing else', async () => {
    const mix = fc.array(fc.constantFrom(...KINDS), { minLength: 1, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(mix, faults, async (kinds, armed) => {
        driver.arm(...armed)
        const attempts = kinds.map((kind, n) => attempt(kind, n))
        const results = await Promise.allSettled(attempts.map(({ run }) => run()))
        driver.disarm()
        const acknowledged = attempts.flatMap(({ values }, n) => (results[n]?.status === 'fulfilled' ? values : []))
        expect(bench.ledger().sort()).toEqual([...acknowledged, 'taken'].sort())
        expect(engine.waitingWrites).toBe(0)
        if (armed.length === 0) {
          const isGood = kinds.map((kind) => ['good', 'two rows', 'begin', 'prisma'].includes(kind))
          expect(results.map(({ status }) => status === 'fulfilled')).toEqual(isGood)
        }
        await engine.execute(sql("DELETE FROM ledger WHERE value <> 'taken'"))
      }),
      { numRuns: RUNS, examples: [[[...KINDS], []]] },
    )
  })
})
