import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { DriverAdapterError } from '@prisma/driver-adapter-utils'
import BetterSqlite3 from 'better-sqlite3'
import { openBetterSqlite3, type OpenDriver } from '../../src/database/sqlite/driver.js'
import { SqliteEngine, type SqliteEngineOptions } from '../../src/database/sqlite/engine.js'
import { toDriverAdapterError } from '../../src/database/sqlite/errors.js'
import { PragmaMismatchError, pragmasOf } from '../../src/database/sqlite/pragmas.js'
import type { Turnstile } from '../../src/database/sqlite/turnstile.js'
import { assertSafeSqliteVersion, UnsafeSqliteVersionError } from '../../src/database/sqlite/version-gate.js'
import { until } from '../processes/until.js'
import { holdLock, type LockHolder } from '../support/lock-holder.js'
import { type TemporarySqlite, temporarySqlite } from '../support/sqlite.js'
import { replaced, sql } from './engine-support.js'

const codeOf = (error: unknown): unknown => {
  const adapted = toDriverAdapterError(error)
  return adapted instanceof DriverAdapterError ? adapted.cause.kind : adapted
}

let database: TemporarySqlite
const opened: SqliteEngine[] = []

beforeEach(() => {
  database = temporarySqlite()
})

afterEach(async () => {
  await Promise.all(opened.splice(0).map((engine) => engine.close()))
  database.remove()
})

async function open(options: Partial<SqliteEngineOptions> = {}): Promise<SqliteEngine> {
  const engine = await SqliteEngine.open({
    file: database.file,
    busyTimeoutMs: 5_000,
    synchronous: 'NORMAL',
    ...options,
  })
  opened.push(engine)
  return engine
}

async function openWithTable(options: Partial<SqliteEngineOptions> = {}): Promise<SqliteEngine> {
  const engine = await open(options)
  await engine.executeScript('CREATE TABLE t (id INTEGER PRIMARY KEY, value TEXT NOT NULL UNIQUE)')
  return engine
}

async function valuesIn(engine: SqliteEngine): Promise<unknown[]> {
  return (await engine.query(sql('SELECT value FROM t ORDER BY id'))).rows.flat()
}

describe('opening', () => {
  it('makes the folder and the file, and leaves -wal and -shm beside it', async () => {
    const file = join(database.folder, 'a', 'b', 'new.db')
    await openWithTable({ file })
    expect([existsSync(file), existsSync(`${file}-wal`), existsSync(`${file}-shm`)]).toEqual([true, true, true])
  })

  it.each(['writer', 'reader'] as const)('sets every PRAGMA of a %s and reads it back', async (role) => {
    const read: string[] = []
    const openDriver: OpenDriver = (file, options) => {
      const driver = openBetterSqlite3(file, options)
      if (options.readonly !== (role === 'reader')) return driver
      return replaced(driver, 'pragma', (source: string, ...rest: unknown[]) => {
        if (!source.includes('=')) read.push(source)
        return Reflect.apply(driver.pragma.bind(driver), undefined, [source, ...rest]) as unknown
      })
    }
    await open({ openDriver })
    const expected = pragmasOf(role, { busyTimeoutMs: 5_000, synchronous: 'NORMAL' }).map((setting) => setting.name)
    expect(read).toEqual(expect.arrayContaining([...expected, 'journal_mode']))
  })

  it.each(['foreign_keys', 'synchronous', 'busy_timeout', 'journal_mode'])(
    'refuses to serve when PRAGMA %s reads back as something else',
    async (name) => {
      const openDriver: OpenDriver = (file, options) => {
        const driver = openBetterSqlite3(file, options)
        return replaced(driver, 'pragma', (source: string, ...rest: unknown[]) =>
          source === name
            ? 'other'
            : (Reflect.apply(driver.pragma.bind(driver), undefined, [source, ...rest]) as unknown),
        )
      }
      await expect(open({ openDriver })).rejects.toThrow(PragmaMismatchError)
    },
  )

  it('applies FULL where it is asked for', async () => {
    const engine = await open({ synchronous: 'FULL' })
    const transaction = await engine.begin()
    expect(transaction.query(sql('PRAGMA synchronous')).rows).toEqual([[2]])
    transaction.rollback()
  })

  it.each(['3.51.2', '3.50.4', '3.7.0', '2.99.99', 'unknown'])('refuses SQLite %s', (version) => {
    expect(() => assertSafeSqliteVersion(version)).toThrow(UnsafeSqliteVersionError)
  })

  it.each(['3.51.3', '3.52.0', '3.53.2', '4.0.0'])('takes SQLite %s', (version) => {
    expect(() => assertSafeSqliteVersion(version)).not.toThrow()
  })

  describe('of a file that is not in WAL mode yet, and that another process has locked', () => {
    let file: string
    let holder: LockHolder
    let attempts: number
    const counted: OpenDriver = (name, options) => {
      attempts += 1
      return openBetterSqlite3(name, options)
    }

    beforeEach(async () => {
      attempts = 0
      file = join(database.folder, 'rollback-journal.db')
      const connection = new BetterSqlite3(file)
      connection.exec('CREATE TABLE t (id INTEGER PRIMARY KEY)')
      connection.close()
      holder = await holdLock(file)
    })
    afterEach(() => holder.release())

    it('waits until it can change the mode', async () => {
      let isOpen = false
      const opening = open({ file, openDriver: counted }).then((engine) => {
        isOpen = true
        return engine
      })
      await until('it has tried several times', () => attempts >= 3)
      expect(isOpen).toBe(false)
      await holder.release()
      expect((await (await opening).query(sql('PRAGMA journal_mode'))).rows).toEqual([['wal']])
    })

    it('gives up after the busy timeout', async () => {
      const start = performance.now()
      await expect(open({ file, busyTimeoutMs: 50 })).rejects.toMatchObject({ code: 'SQLITE_BUSY' })
      expect(performance.now() - start).toBeGreaterThanOrEqual(50)
    })
  })
})

describe('routing', () => {
  it('sends a statement that writes to the writer, whatever its text begins with', async () => {
    const roles: string[] = []
    const engine = await openWithTable({
      observer: { onStatement: ({ role, sql: text }) => roles.push(`${role} ${text}`) },
    })
    await engine.query(sql("WITH v AS (SELECT 'a' AS value) INSERT INTO t (value) SELECT value FROM v RETURNING id"))
    await engine.query(sql('SELECT value FROM t'))
    expect(roles.find((entry) => entry.includes('WITH v'))).toMatch(/^writer/)
    expect(roles.find((entry) => entry.includes('SELECT value FROM t'))).toMatch(/^reader/)
  })

  it.each([
    'BEGIN',
    'begin immediate',
    '/* hidden */ COMMIT',
    '-- hidden\n ROLLBACK',
    ';;END',
    'SAVEPOINT x',
    'RELEASE x',
    "ATTACH 'other.db' AS other",
    'DETACH other',
    'VACUUM',
    "VACUUM INTO 'copy.db'",
    'PRAGMA journal_mode = DELETE',
    'PRAGMA main.synchronous=OFF',
    'PRAGMA busy_timeout(0)',
    'PRAGMA wal_checkpoint',
    'PRAGMA optimize',
    'PRAGMA "busy_timeout"=1500',
    'PRAGMA [busy_timeout] = 1500',
    'PRAGMA `busy_timeout`(1500)',
    'PRAGMA/**/busy_timeout=1500',
    'PRAGMA busy_timeout/**/=/**/1500',
    'PRAGMA -- hidden\n busy_timeout = 1500',
    'PRAGMA main . busy_timeout = 1500',
    'PRAGMA/**/wal_checkpoint',
    'PRAGMA "wal_checkpoint"(TRUNCATE)',
    'PRAGMA incremental_vacuum',
    'PRAGMA writable_schema',
    'EXPLAIN PRAGMA busy_timeout = 1500',
    'explain query plan /**/ PRAGMA busy_timeout = 1500',
  ])('refuses %s in a raw query, outside and inside of a transaction', async (statement) => {
    const engine = await openWithTable()
    await expect(async () => engine.query(sql(statement))).rejects.toThrow(DriverAdapterError)
    const transaction = await engine.begin()
    expect(() => transaction.execute(sql(statement))).toThrow(DriverAdapterError)
    transaction.execute(sql("INSERT INTO t (value) VALUES ('kept')"))
    expect(transaction.query(sql('PRAGMA busy_timeout')).rows).toEqual([[0]])
    await transaction.commit()
    expect(await valuesIn(engine)).toEqual(['kept'])
  })

  it.each([
    'PRAGMA user_version',
    'PRAGMA main.table_info("t") -- of t',
    'pragma/**/table_info=t;',
    'PRAGMA integrity_check',
    'EXPLAIN QUERY PLAN SELECT 1',
  ])('lets %s through', async (statement) => {
    const engine = await openWithTable()
    expect((await engine.query(sql(statement))).rows.length).toBeGreaterThan(0)
  })
})

describe('the lease', () => {
  it('lets no other write of this process in until the transaction has ended', async () => {
    const engine = await openWithTable()
    const transaction = await engine.begin()
    transaction.execute(sql("INSERT INTO t (value) VALUES ('first')"))
    const other = engine.execute(sql("INSERT INTO t (value) VALUES ('second')"))
    expect(await Promise.race([other, delay(30, 'waiting')])).toBe('waiting')
    transaction.rollback()
    await other
    expect(await valuesIn(engine)).toEqual(['second'])
  })

  it('is given in the order in which it was asked for', async () => {
    const engine = await openWithTable()
    const transaction = await engine.begin()
    const order: number[] = []
    const writes = [1, 2, 3, 4].map(async (id) => {
      await engine.execute(sql('INSERT INTO t (id, value) VALUES (?, ?)', id, `v${id}`))
      order.push(id)
    })
    transaction.rollback()
    await Promise.all(writes)
    expect(order).toEqual([1, 2, 3, 4])
  })

  it('goes on after a statement that failed', async () => {
    const engine = await openWithTable()
    await engine.execute(sql("INSERT INTO t (value) VALUES ('a')"))
    await expect(engine.execute(sql("INSERT INTO t (value) VALUES ('a')"))).rejects.toMatchObject({
      code: 'SQLITE_CONSTRAINT_UNIQUE',
    })
    await engine.execute(sql("INSERT INTO t (value) VALUES ('b')"))
    expect(await valuesIn(engine)).toEqual(['a', 'b'])
  })

  it('refuses a statement of a transaction that has ended', async () => {
    const engine = await openWithTable()
    const transaction = await engine.begin()
    await transaction.commit()
    expect(() => transaction.execute(sql("INSERT INTO t (value) VALUES ('late')"))).toThrow(DriverAdapterError)
    await expect(transaction.commit()).rejects.toThrow(DriverAdapterError)
    transaction.rollback()
    expect(await valuesIn(engine)).toEqual([])
  })

  it('keeps savepoints inside of a transaction', async () => {
    const engine = await openWithTable()
    const transaction = await engine.begin()
    transaction.execute(sql("INSERT INTO t (value) VALUES ('a')"))
    transaction.savepoint('SAVEPOINT', 's1')
    transaction.execute(sql("INSERT INTO t (value) VALUES ('b')"))
    transaction.savepoint('ROLLBACK TO', 's1')
    transaction.savepoint('RELEASE', 's1')
    await transaction.commit()
    expect(await valuesIn(engine)).toEqual(['a'])
  })
})

describe('what the engine tells of its transactions', () => {
  it('is how each ended, and for how long it had the lock', async () => {
    const ends: string[] = []
    const held: number[] = []
    const engine = await openWithTable({
      idleTimeoutMs: 30,
      observer: {
        onTransactionEnd: ({ kind, outcome, heldMs }) => {
          ends.push(`${kind} ${outcome}`)
          held.push(heldMs)
        },
      },
    })
    await engine.execute(sql("INSERT INTO t (value) VALUES ('a')"))
    const undone = await engine.begin()
    undone.rollback()
    undone.rollback()
    const idle = await engine.begin()
    await until('the watchdog ends it', () => !idle.isOpen)
    expect(ends).toEqual(['transaction commit', 'write commit', 'transaction rollback', 'transaction watchdog'])
    expect(held.at(-1)).toBeGreaterThanOrEqual(29)
  })

  it('is that a commit failed', async () => {
    const ends: string[] = []
    const openDriver: OpenDriver = (...args) => {
      const driver = openBetterSqlite3(...args)
      return replaced(driver, 'prepare', (text: string) => {
        const statement = driver.prepare(text)
        const fail = () => {
          throw Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR' })
        }
        return text === 'COMMIT' ? replaced(statement, 'run', fail) : statement
      })
    }
    const engine = await open({ openDriver, observer: { onTransactionEnd: ({ outcome }) => ends.push(outcome) } })
    const transaction = await engine.begin()
    await expect(transaction.commit()).rejects.toThrow()
    expect(ends).toEqual(['failed'])
  })
})

describe('the busy timeout', () => {
  it('refuses a write that waits for a foreign lock, and writes nothing', async () => {
    const refused: number[] = []
    const locks: unknown[] = []
    const codes = new Set<string>()
    const engine = await openWithTable({
      busyTimeoutMs: 100,
      observer: {
        onRefused: ({ waitedMs, lockMs }) => {
          refused.push(waitedMs)
          locks.push(lockMs)
        },
        onBusy: ({ code }) => codes.add(code),
      },
    })
    const holder = await holdLock(database.file)
    const error: unknown = await engine
      .execute(sql("INSERT INTO t (value) VALUES ('a')"))
      .catch((caught: unknown) => caught)
    expect(codeOf(error)).toBe('SocketTimeout')
    expect(refused).toEqual([expect.any(Number)])
    expect(refused[0]).toBeGreaterThanOrEqual(100)
    // The whole of it was for the lock of somebody who takes no part in the queue.
    expect(locks[0]).toBeGreaterThan(80)
    expect([...codes]).toEqual(['SQLITE_BUSY'])
    expect(await valuesIn(engine)).toEqual([])
    await holder.release()
    await engine.execute(sql("INSERT INTO t (value) VALUES ('b')"))
    expect(await valuesIn(engine)).toEqual(['b'])
  })

  it('of 0 leaves time to ask for the turn, and none to wait for a lock', async () => {
    const turn = { leave: () => undefined }
    const turnstile: Turnstile = {
      enter: (timeoutMs) => Promise.race([delay(10, turn), delay(timeoutMs, null)]),
      close: () => undefined,
    }
    const engine = await openWithTable({ busyTimeoutMs: 0, turnstile })
    await engine.execute(sql("INSERT INTO t (value) VALUES ('a')"))
    const transaction = await engine.begin()
    expect(codeOf(await engine.execute(sql('DELETE FROM t')).catch((error: unknown) => error))).toBe('SocketTimeout')
    transaction.rollback()
    expect(await valuesIn(engine)).toEqual(['a'])
  })

  it('bounds the wait in the queue of the process as well', async () => {
    const engine = await openWithTable({ busyTimeoutMs: 50 })
    const transaction = await engine.begin()
    const error: unknown = await engine.begin().catch((caught: unknown) => caught)
    expect(codeOf(error)).toBe('SocketTimeout')
    await transaction.commit()
    const next = await engine.begin()
    next.rollback()
  })
})
