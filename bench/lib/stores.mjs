import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3'
import { SqliteAdapterFactory } from '../../dist/database/sqlite/adapter.js'
import { SqliteEngine } from '../../dist/database/sqlite/engine.js'
import { TicketTurnstile } from '../../dist/database/sqlite/ticket-turnstile.js'

const BUSY_TIMEOUT_MS = 30_000
export const ROWS = 1_000

const query = (sql, ...args) => ({ sql, args, argTypes: args.map(() => ({ scalarType: 'int', arity: 'scalar' })) })
const UPDATE = 'UPDATE counters SET value = value + 1 WHERE id = ?'
const READ = 'SELECT value FROM counters WHERE id = ?'
const SET = 'UPDATE counters SET value = ? WHERE id = ?'

/** A folder with a database of `ROWS` counters, all at zero. */
export function createCounters() {
  const folder = mkdtempSync(join(tmpdir(), 'gator-bench-'))
  const file = join(folder, 'bench.db')
  const database = new BetterSqlite3(file)
  database.pragma('journal_mode = WAL')
  database.exec('CREATE TABLE counters (id INTEGER PRIMARY KEY, value INTEGER NOT NULL)')
  const insert = database.prepare('INSERT INTO counters VALUES (?, 0)')
  database.transaction(() => {
    for (let id = 1; id <= ROWS; id++) insert.run(id)
  })()
  database.close()
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** The value of a counter, as SQLite has it. */
export function counterIn(file, id) {
  const database = new BetterSqlite3(file, { readonly: true })
  try {
    return database.prepare(READ).pluck().get(id)
  } finally {
    database.close()
  }
}

/**
 * The three ways to write that are compared, behind one shape:
 * `update(id)` adds one in a single statement; `transaction(id, hold)` reads, waits for `hold()`, writes back and answers
 * how long it waited until it had begun, in milliseconds.
 */
export const stores = {
  /** This project's engine, through its Prisma adapter. */
  ours: async (file, { synchronous = 'NORMAL', isGrouped = true } = {}) => {
    const turnstile = process.send ? { turnstile: new TicketTurnstile(process) } : {}
    const engine = await SqliteEngine.open({ file, busyTimeoutMs: BUSY_TIMEOUT_MS, synchronous, ...turnstile })
    const adapter = await new SqliteAdapterFactory(engine).connect()
    const alone = async (id) => {
      const transaction = await engine.begin()
      transaction.execute(query(UPDATE, id))
      await transaction.commit()
    }
    return {
      update: isGrouped ? (id) => adapter.executeRaw(query(UPDATE, id)) : alone,
      transaction: throughAdapter(adapter),
      close: () => engine.close(),
    }
  },

  /** Prisma's own adapter, with the same busy timeout. */
  official: async (file) => {
    const adapter = await new PrismaBetterSqlite3({ url: `file:${file}`, timeout: BUSY_TIMEOUT_MS }).connect()
    return {
      update: (id) => adapter.executeRaw(query(UPDATE, id)),
      transaction: throughAdapter(adapter),
      close: () => adapter.dispose(),
    }
  },

  /** better-sqlite3 itself, prepared statements, immediate transactions, SQLite's own busy handler. */
  plain: async (file, { synchronous = 'NORMAL' } = {}) => {
    const database = new BetterSqlite3(file, { timeout: BUSY_TIMEOUT_MS })
    database.pragma(`synchronous = ${synchronous}`)
    const [update, read, set] = [UPDATE, READ, SET].map((sql) => database.prepare(sql))
    return {
      update: async (id) => update.run(id),
      transaction: async (id, hold) => {
        const start = performance.now()
        database.exec('BEGIN IMMEDIATE')
        const waitedMs = performance.now() - start
        const value = read.pluck().get(id)
        await hold()
        set.run(value + 1, id)
        database.exec('COMMIT')
        return waitedMs
      },
      close: async () => database.close(),
    }
  },
}

function throughAdapter(adapter) {
  return async (id, hold) => {
    const start = performance.now()
    const transaction = await adapter.startTransaction()
    const waitedMs = performance.now() - start
    const finish = async (sql, end) => {
      // As Prisma does it: with a phantom query the adapter ends the transaction itself.
      if (!transaction.options.usePhantomQuery) await transaction.executeRaw(query(sql))
      await end()
    }
    try {
      const { rows } = await transaction.queryRaw(query(READ, id))
      await hold()
      await transaction.executeRaw(query(SET, Number(rows[0][0]) + 1, id))
      await finish('COMMIT', () => transaction.commit())
    } catch (error) {
      await finish('ROLLBACK', () => transaction.rollback()).catch(() => undefined)
      throw error
    }
    return waitedMs
  }
}
