import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3'
import { PrismaLibSql } from '@prisma/adapter-libsql'
import BetterSqlite3 from 'better-sqlite3'
import { PrismaClient } from '../../src/generated/sqlite/client.js'
import { SqliteAdapterFactory } from '../../src/database/sqlite/adapter.js'
import { SqliteEngine, type SqliteEngineOptions } from '../../src/database/sqlite/engine.js'
import { aPersonaRow } from '../support/persona-rows.js'
import { holdLock } from '../support/lock-holder.js'
import { type TemporarySqlite, temporarySqlite } from '../support/sqlite.js'

// What Prisma's own SQLite adapters do to concurrent writers. Each hazard is shown twice: the official adapter falls
// into it (so that the test is known to be able to fail), ours does not.

const ID = '019aaf3e-8f63-7b12-9d3c-2f1f5d0c8a11'
const BUSY_TIMEOUT_MS = 30_000

interface Adapter {
  readonly client: PrismaClient
  close(): Promise<void>
}

async function openOurs(file: string, options: Partial<SqliteEngineOptions> = {}): Promise<Adapter> {
  const engine = await SqliteEngine.open({ file, busyTimeoutMs: BUSY_TIMEOUT_MS, synchronous: 'NORMAL', ...options })
  const client = new PrismaClient({ adapter: new SqliteAdapterFactory(engine) })
  return {
    client,
    close: async () => {
      await client.$disconnect()
      await engine.close()
    },
  }
}

function openOfficial(file: string): Promise<Adapter> {
  const client = new PrismaClient({
    adapter: new PrismaBetterSqlite3({ url: `file:${file}`, timeout: BUSY_TIMEOUT_MS }),
  })
  return Promise.resolve({ client, close: () => client.$disconnect() })
}

let database: TemporarySqlite

beforeEach(() => {
  database = temporarySqlite()
})

afterEach(() => database.remove())

async function withAdapter<T>(
  open: (file: string) => Promise<Adapter>,
  work: (client: PrismaClient) => Promise<T>,
): Promise<T> {
  const adapter = await open(database.file)
  try {
    return await work(adapter.client)
  } finally {
    await adapter.close()
  }
}

describe("a plain update while another request's transaction is open", () => {
  // Answers what is stored at the end: B's acknowledged update, or what was there before A and B.
  const race = async (client: PrismaClient): Promise<string> => {
    await client.persona.create({ data: aPersonaRow({ id: ID, name: 'before', appearance: 'before' }) })
    let acknowledged: Promise<unknown> = Promise.resolve()
    const rolledBack = client.$transaction(async (transaction) => {
      await transaction.persona.update({ where: { id: ID }, data: { name: 'from A' } })
      acknowledged = client.persona.update({ where: { id: ID }, data: { appearance: 'from B' } })
      // With the official adapter B is acknowledged while A is open; ours lets it wait until A has ended.
      await Promise.race([acknowledged, delay(50)])
      throw new Error('A rolls back')
    })
    await expect(rolledBack).rejects.toThrow('A rolls back')
    await acknowledged
    return (await client.persona.findUniqueOrThrow({ where: { id: ID } })).appearance
  }

  it('is lost by the official adapter, although it was acknowledged', async () => {
    expect(await withAdapter(openOfficial, race)).toBe('before')
  })

  it('is kept by ours', async () => {
    expect(await withAdapter(openOurs, race)).toBe('from B')
  })
})

describe('a read while a transaction is open', () => {
  const read = async (client: PrismaClient): Promise<string> => {
    await client.persona.create({ data: aPersonaRow({ id: ID, name: 'committed' }) })
    let seen = ''
    const rolledBack = client.$transaction(async (transaction) => {
      await transaction.persona.update({ where: { id: ID }, data: { name: 'uncommitted' } })
      seen = (await client.persona.findUniqueOrThrow({ where: { id: ID } })).name
      throw new Error('rolled back')
    })
    await expect(rolledBack).rejects.toThrow('rolled back')
    return seen
  }

  it('sees what was never committed with the official adapter', async () => {
    expect(await withAdapter(openOfficial, read)).toBe('uncommitted')
  })

  it('sees what is committed with ours', async () => {
    expect(await withAdapter(openOurs, read)).toBe('committed')
  })
})

describe('four processes that read, modify and write one row in transactions', () => {
  const PROCESSES = 4
  const ROUNDS = 150

  const run = async (adapter: 'ours' | 'official'): Promise<{ succeeded: number; failed: number; count: number }> => {
    await withAdapter(openOurs, (client) => client.persona.create({ data: aPersonaRow({ id: ID }) }))
    const script = join(process.cwd(), 'test', 'support', 'read-modify-write.mjs')
    const results = await Promise.all(
      Array.from({ length: PROCESSES }, async () => {
        const args = [script, adapter, database.file, ID, String(ROUNDS)]
        const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
        const [output] = await Promise.all([text(child.stdout), once(child, 'close')])
        return JSON.parse(output) as { succeeded: number; failed: number }
      }),
    )
    const total = (key: 'succeeded' | 'failed') => results.reduce((sum, result) => sum + result[key], 0)
    const { generationCount } = await withAdapter(openOurs, (client) =>
      client.persona.findUniqueOrThrow({ where: { id: ID } }),
    )
    return { succeeded: total('succeeded'), failed: total('failed'), count: generationCount }
  }

  it('fail often with the official adapter, which begins deferred', async () => {
    const { failed } = await run('official')
    expect(failed).toBeGreaterThan(0)
  })

  it('all succeed with ours, and the counter is exact', async () => {
    expect(await run('ours')).toEqual({ succeeded: PROCESSES * ROUNDS, failed: 0, count: PROCESSES * ROUNDS })
  })
})

describe('waiting for a lock that a foreign process holds', () => {
  const HOLD_MS = 600

  // Answers the longest time for which the event loop did nothing else while a write waited.
  const longestStall = async (client: PrismaClient): Promise<number> => {
    await client.persona.create({ data: aPersonaRow({ id: ID, name: 'before' }) })
    const holder = await holdLock(database.file)
    let longest = 0
    let last = performance.now()
    const ticker = setInterval(() => {
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }, 1)
    // A process that blocks its own event loop could not release the lock either: somebody else must.
    const released = delay(HOLD_MS).then(() => holder.release())
    await client.persona.update({ where: { id: ID }, data: { name: 'after' } }).catch(() => undefined)
    await released
    clearInterval(ticker)
    return longest
  }

  it('stops the event loop with the official adapter until the busy timeout is over', async () => {
    const open = (file: string) => {
      const client = new PrismaClient({
        adapter: new PrismaBetterSqlite3({ url: `file:${file}`, timeout: HOLD_MS / 2 }),
      })
      return Promise.resolve({ client, close: () => client.$disconnect() })
    }
    expect(await withAdapter(open, longestStall)).toBeGreaterThan(HOLD_MS / 3)
  })

  it('leaves the event loop free with ours', async () => {
    expect(await withAdapter(openOurs, longestStall)).toBeLessThan(HOLD_MS / 4)
  })
})

describe('the settings of a connection after a transaction', () => {
  it('are lost by the official libsql adapter, the busy timeout among them', async () => {
    const client = new PrismaClient({ adapter: new PrismaLibSql({ url: `file:${database.file}` }) })
    const readBack = () => client.$queryRawUnsafe<{ timeout: number }[]>('PRAGMA busy_timeout')
    await client.$queryRawUnsafe(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`)
    expect(await readBack()).toEqual([{ timeout: BUSY_TIMEOUT_MS }])
    await client.$transaction((transaction) => transaction.persona.create({ data: aPersonaRow({ id: ID }) }))
    expect(await readBack()).toEqual([{ timeout: 0 }])
    await client.$disconnect()
  })

  it('are those that it was opened with, with ours', async () => {
    const synchronous = 'PRAGMA synchronous'
    const open = (file: string) => openOurs(file, { synchronous: 'FULL' })
    await withAdapter(open, async (client) => {
      for (let round = 0; round < 2; round++) {
        const onWriter = client.$transaction((transaction) => transaction.$queryRawUnsafe(synchronous))
        expect(await onWriter).toEqual([{ synchronous: 2n }])
        expect(await client.$queryRawUnsafe('PRAGMA query_only')).toEqual([{ query_only: 1n }])
      }
    })
  })
})

describe('the same read, several times', () => {
  const ROUNDS = 5

  const preparations = async (client: PrismaClient): Promise<number> => {
    await client.persona.create({ data: aPersonaRow({ id: ID }) })
    const prepare = jest.spyOn(BetterSqlite3.prototype, 'prepare')
    for (let round = 0; round < ROUNDS; round++) await client.persona.findUnique({ where: { id: ID } })
    const count = prepare.mock.calls.length
    prepare.mockRestore()
    return count
  }

  it('is prepared anew each time by the official adapter', async () => {
    expect(await withAdapter(openOfficial, preparations)).toBe(ROUNDS)
  })

  it('is prepared once by ours', async () => {
    expect(await withAdapter(openOurs, preparations)).toBe(1)
  })
})
