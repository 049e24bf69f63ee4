import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { EventEmitter, once } from 'node:events'
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises'
import { DatabaseUnavailableError } from '../../src/database/database-errors.js'
import { SqliteAdapterFactory } from '../../src/database/sqlite/adapter.js'
import type { SqliteEngineOptions } from '../../src/database/sqlite/engine.js'
import type { SqliteObserver } from '../../src/database/sqlite/observer.js'
import { SqliteDatabase } from '../../src/database/sqlite/sqlite-database.js'
import type { WriteTransaction } from '../../src/database/sqlite/write-transaction.js'
import { PrismaClient } from '../../src/generated/sqlite/client.js'
import { engineBench, entry, failureOf, FaultyDriver, INSERT, PROMPT_MS, sql } from './engine-support.js'

const bench = engineBench()

const IDLE_MS = 60
/** Far apart, so that a slow machine does not take the one for the other. */
const OF_IDLENESS = { idleTimeoutMs: IDLE_MS, transactionTimeoutMs: 20_000 }
const OF_LENGTH = { idleTimeoutMs: 400, transactionTimeoutMs: 600 }
const LIMIT_MS = 300
/** A transaction that runs a statement so often is not idle. */
const STEP_MS = 10

/** Whatever Prisma makes of a transaction that was taken away, it says why. */
const saying = (why: string) => ({
  message: expect.stringContaining(`The transaction has ended: it was ${why}`) as unknown,
})

let told: { readonly reason: string; readonly openMs: number }[]
let bites: EventEmitter

const observer: SqliteObserver = {
  onWatchdog: (event) => {
    told.push(event)
    bites.emit('bite')
  },
}

beforeEach(() => {
  told = []
  bites = new EventEmitter()
})

/** Runs statements until the transaction is taken away; answers the error that says so. */
async function keepBusy(transaction: WriteTransaction): Promise<unknown> {
  for (;;) {
    try {
      transaction.execute(entry('lost'))
    } catch (error) {
      return error
    }
    await delay(STEP_MS)
  }
}

const closedBecause = (why: RegExp) => ({
  cause: { kind: 'TransactionAlreadyClosed', cause: expect.stringMatching(why) as unknown },
})

describe('the watchdog', () => {
  it('does not take a statement that ran long for idleness', async () => {
    const engine = await bench.openWithLedger({ ...OF_IDLENESS, observer })
    const transaction = await engine.begin()
    const countTo = (rows: number) => {
      const start = performance.now()
      transaction.query(
        sql(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows}) SELECT max(i) FROM n`),
      )
      return performance.now() - start
    }
    let rows = 100_000
    while (countTo(rows) < 2 * IDLE_MS) rows *= 2
    // Its timer is due since long, and looks now.
    await nextTurn()
    await nextTurn()
    await transaction.commit()
    expect(told).toEqual([])
  })

  it('rolls back a transaction that is idle, tells its owner why, and gives the lease on', async () => {
    const engine = await bench.openWithLedger({ ...OF_IDLENESS, observer })
    const transaction = await engine.begin()
    transaction.execute(entry('lost'))
    const next = engine.execute(entry('next'))
    await once(bites, 'bite')
    const start = performance.now()
    await next
    expect(performance.now() - start).toBeLessThan(PROMPT_MS)
    expect(await failureOf(Promise.resolve().then(() => transaction.execute(entry('late'))))).toMatchObject(
      closedBecause(/idle for 60 ms and was rolled back/),
    )
    expect(await failureOf(transaction.commit())).toMatchObject(closedBecause(/idle for 60 ms/))
    expect(told).toEqual([{ reason: 'idle', openMs: expect.any(Number) }])
    expect(told[0]?.openMs).toBeGreaterThanOrEqual(IDLE_MS)
    expect(bench.ledger()).toEqual(['next'])
  })

  it('rolls back a transaction that is busy for too long', async () => {
    const engine = await bench.openWithLedger({ ...OF_LENGTH, observer })
    const transaction = await engine.begin()
    const next = engine.begin()
    expect(await keepBusy(transaction)).toMatchObject(closedBecause(/open for 600 ms and was rolled back/))
    const other = await next
    other.execute(entry('next'))
    await other.commit()
    expect(await failureOf(transaction.commit())).toMatchObject(closedBecause(/open for 600 ms/))
    expect(told).toMatchObject([{ reason: 'too-long' }])
    expect(bench.ledger()).toEqual(['next'])
  })

  it('does not let a late commit or rollback touch the transaction that came after', async () => {
    const engine = await bench.openWithLedger({ ...OF_IDLENESS, observer })
    const late = await engine.begin()
    late.execute(entry('lost'))
    await once(bites, 'bite')
    const current = await engine.begin()
    current.execute(entry('kept'))
    late.rollback()
    expect(await failureOf(late.commit())).toMatchObject(closedBecause(/idle/))
    late.rollback()
    expect(current.isOpen).toBe(true)
    current.execute(entry('kept too'))
    await current.commit()
    expect(bench.ledger()).toEqual(['kept', 'kept too'])
  })

  it('never touches a transaction that ends in time, nor the one after it', async () => {
    const engine = await bench.openWithLedger({ idleTimeoutMs: LIMIT_MS, transactionTimeoutMs: LIMIT_MS, observer })
    const start = performance.now()
    let written = 0
    // No transaction is open for as long as the limit, all of them together for longer.
    while (performance.now() - start < 2 * LIMIT_MS) {
      const transaction = await engine.begin()
      transaction.execute(entry(`v${written}`))
      await delay(STEP_MS)
      if (written++ % 2 === 0) await transaction.commit()
      else transaction.rollback()
    }
    expect(told).toEqual([])
    expect(bench.ledger()).toHaveLength(Math.ceil(written / 2))
  })
})

describe('the watchdog, through Prisma', () => {
  let client: PrismaClient | undefined

  afterEach(() => client?.$disconnect())

  async function connect(options: Partial<SqliteEngineOptions> = {}): Promise<PrismaClient> {
    const engine = await bench.openWithLedger({ ...OF_IDLENESS, observer, ...options })
    client = new PrismaClient({ adapter: new SqliteAdapterFactory(engine) })
    return client
  }

  it('fails the next statement of a callback that was idle', async () => {
    const prisma = await connect()
    const failure = await failureOf(
      prisma.$transaction(async (transaction) => {
        await transaction.$executeRawUnsafe(INSERT, 'lost')
        await once(bites, 'bite')
        await transaction.$executeRawUnsafe(INSERT, 'lost as well')
      }),
    )
    expect(failure).toMatchObject(saying('idle for 60 ms and was rolled back'))
    await prisma.$executeRawUnsafe(INSERT, 'next')
    expect(bench.ledger()).toEqual(['next'])
  })

  it('fails the commit of a callback that was idle until its end', async () => {
    const prisma = await connect()
    let runs = 0
    const failure = await failureOf(
      prisma.$transaction(async (transaction) => {
        runs += 1
        await transaction.$executeRawUnsafe(INSERT, 'lost')
        await once(bites, 'bite')
      }),
    )
    expect(failure).toMatchObject(saying('idle for 60 ms and was rolled back'))
    expect(runs).toBe(1)
    await prisma.$executeRawUnsafe(INSERT, 'next')
    expect(bench.ledger()).toEqual(['next'])
  })

  it('fails a callback that takes too long', async () => {
    const prisma = await connect(OF_LENGTH)
    const failure = await failureOf(
      prisma.$transaction(async (transaction) => {
        for (;;) {
          await transaction.$executeRawUnsafe(INSERT, 'lost')
          await delay(STEP_MS)
        }
      }),
    )
    expect(failure).toMatchObject(saying('open for 600 ms and was rolled back'))
    expect(told).toMatchObject([{ reason: 'too-long' }])
    expect(bench.ledger()).toEqual([])
  })

  it.each(['at the next statement', 'at the commit'])(
    'comes out of the database as unavailability %s',
    async (when) => {
      const database = await SqliteDatabase.open({
        ...OF_IDLENESS,
        observer,
        file: bench.file,
        busyTimeoutMs: 1_000,
        synchronous: 'NORMAL',
      })
      try {
        const failure = await failureOf(
          database.transaction(async (transaction) => {
            await once(bites, 'bite')
            if (when === 'at the next statement') await transaction.persona.count()
          }),
        )
        expect(failure).toBeInstanceOf(DatabaseUnavailableError)
      } finally {
        await database.close()
      }
    },
  )

  it('is not needed for a callback whose lease came after Prisma had given up', async () => {
    const engine = await bench.openWithLedger()
    client = new PrismaClient({ adapter: new SqliteAdapterFactory(engine), transactionOptions: { maxWait: 30 } })
    const holder = await engine.begin()
    let runs = 0
    const failure = await failureOf(client.$transaction(() => Promise.resolve(runs++)))
    expect(failure).toMatchObject({ code: 'P2028' })
    holder.rollback()
    const start = performance.now()
    await client.$executeRawUnsafe(INSERT, 'next')
    expect(performance.now() - start).toBeLessThan(PROMPT_MS)
    expect(runs).toBe(0)
    expect(bench.ledger()).toEqual(['next'])
  })
})

describe('a callback', () => {
  it.each(['SQLITE_BUSY', 'SQLITE_BUSY_SNAPSHOT', 'SQLITE_FULL', 'SQLITE_IOERR'])(
    'runs once, even when its COMMIT fails with %s',
    async (code) => {
      const driver = new FaultyDriver()
      const engine = await bench.openWithLedger({ openDriver: driver.open })
      const client = new PrismaClient({ adapter: new SqliteAdapterFactory(engine) })
      let runs = 0
      driver.arm({ at: /^COMMIT/, code })
      const failure = await failureOf(
        client.$transaction(async (transaction) => {
          runs += 1
          await transaction.$executeRawUnsafe(INSERT, 'refused')
        }),
      )
      driver.disarm()
      expect([runs, failure instanceof Error]).toEqual([1, true])
      await client.$executeRawUnsafe(INSERT, 'next')
      await client.$disconnect()
      expect(bench.ledger()).toEqual(['next'])
    },
  )
})

describe('SQLITE_BUSY_SNAPSHOT', () => {
  it.each([
    ['in a transaction', true],
    ['in a group commit', false],
  ])('is told to the observer %s, and refused', async (_where, isInTransaction) => {
    let snapshots = 0
    const driver = new FaultyDriver()
    const engine = await bench.openWithLedger({
      openDriver: driver.open,
      observer: { onBusySnapshot: () => void snapshots++ },
    })
    driver.arm({ at: /^INSERT/, code: 'SQLITE_BUSY_SNAPSHOT', times: 1 })
    const work = async () => {
      if (!isInTransaction) return engine.execute(entry('refused'))
      const transaction = await engine.begin()
      try {
        return transaction.execute(entry('refused'))
      } finally {
        transaction.rollback()
      }
    }
    expect(await failureOf(work())).toMatchObject({ code: 'SQLITE_BUSY_SNAPSHOT' })
    expect(snapshots).toBe(1)
    await engine.execute(entry('next'))
    expect(bench.ledger()).toEqual(['next'])
  })
})
