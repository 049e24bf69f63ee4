import { afterEach, beforeEach } from '@jest/globals'
import BetterSqlite3 from 'better-sqlite3'
import type { SqlQuery } from '@prisma/driver-adapter-utils'
import { openBetterSqlite3, type OpenDriver } from '../../src/database/sqlite/driver.js'
import { SqliteEngine, type SqliteEngineOptions } from '../../src/database/sqlite/engine.js'
import type { Turn, Turnstile } from '../../src/database/sqlite/turnstile.js'
import { type TemporarySqlite, temporarySqlite } from '../support/sqlite.js'

/** How long a write may take once nothing is in its way. */
export const PROMPT_MS = 1_000

/** No constraint forbids a value twice: a write that was made twice is seen. */
const LEDGER = `
  CREATE TABLE ledger (id INTEGER PRIMARY KEY, value TEXT NOT NULL CHECK (length(value) < 20), slot TEXT UNIQUE);
  CREATE TRIGGER ledger_bomb BEFORE INSERT ON ledger WHEN new.value = 'bomb'
  BEGIN
    SELECT RAISE(ROLLBACK, 'bomb');
  END;`

/** A statement for the engine. */
export const sql = (text: string, ...args: unknown[]): SqlQuery => ({
  sql: text,
  args,
  argTypes: args.map(() => ({ scalarType: 'unknown', arity: 'scalar' })),
})

export const INSERT = 'INSERT INTO ledger (value) VALUES (?)'

/** A write that nothing speaks against. */
export const entry = (value: string): SqlQuery => sql(INSERT, value)

/** What a promise is rejected with; undefined when it is not. */
export const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

/** A promise that may be rejected before anybody looks at it. */
export function unattended<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}

/** An object that behaves like another but for one method. */
export function replaced<T extends object>(target: T, method: string, replacement: (...args: never[]) => unknown): T {
  return new Proxy(target, {
    get: (object, property) => {
      if (property === method) return replacement
      const value: unknown = Reflect.get(object, property, object)
      return typeof value === 'function' ? (value.bind(object) as unknown) : value
    },
  })
}

export interface Fault {
  /** The statements that it strikes. */
  readonly at: RegExp
  readonly code: string
  /** How many of them are let through before. */
  readonly after?: number
  readonly times?: number
  /** Whether SQLite rolls the transaction back with it, as it may for a full disk or an I/O error. */
  readonly endsTransaction?: boolean
  /** Whether the statement does what it is to do all the same, and fails only then. */
  readonly takesEffect?: boolean
}

type ArmedFault = { -readonly [K in keyof Required<Fault>]: Fault[K] & {} }

/** better-sqlite3 with a write connection that fails as it is told. */
export class FaultyDriver {
  #faults: ArmedFault[] = []
  #isOpeningRefused = false
  #strikes = 0

  /** How many statements it has made fail. */
  get strikes(): number {
    return this.#strikes
  }

  arm(...faults: Fault[]): void {
    const usual = { after: 0, times: Infinity, endsTransaction: false, takesEffect: false }
    this.#faults = faults.map((fault) => ({ ...usual, ...fault }))
  }

  /** Lets no write connection be opened, until it is disarmed. */
  refuseOpening(): void {
    this.#isOpeningRefused = true
  }

  disarm(): void {
    this.#faults = []
    this.#isOpeningRefused = false
  }

  readonly open: OpenDriver = (file, options) => {
    if (this.#isOpeningRefused && !options.readonly) throw injected('SQLITE_CANTOPEN')
    const driver = openBetterSqlite3(file, options)
    if (options.readonly) return driver
    return replaced(driver, 'prepare', (source: string) => {
      const prepared = driver.prepare(source)
      const striking =
        (method: 'run' | 'all') =>
        (...args: unknown[]) => {
          const fault = this.#next(source)
          if (!fault) return prepared[method](...args)
          if (fault.takesEffect) prepared[method](...args)
          if (fault.endsTransaction && driver.inTransaction) driver.exec('ROLLBACK')
          throw injected(fault.code)
        }
      return replaced(replaced(prepared, 'run', striking('run')), 'all', striking('all'))
    })
  }

  /** The fault that strikes this statement now; undefined when none does. */
  #next(source: string): ArmedFault | undefined {
    for (const fault of this.#faults) {
      if (!fault.at.test(source) || fault.times <= 0) continue
      if (fault.after > 0) {
        fault.after -= 1
        continue
      }
      fault.times -= 1
      this.#strikes += 1
      return fault
    }
    return undefined
  }
}

const injected = (code: string) => Object.assign(new Error(`injected ${code}`), { code })

/** A queue in front of which nobody else stands; it counts the turns that have not been given back. */
export class CountingTurnstile implements Turnstile {
  readonly #out = new Set<Turn>()

  get turnsOut(): number {
    return this.#out.size
  }

  enter(): Promise<Turn> {
    const turn: Turn = { leave: () => void this.#out.delete(turn) }
    this.#out.add(turn)
    return Promise.resolve(turn)
  }

  close(): void {
    // There is nobody to let through.
  }
}

/** Engines on a database file of each test's own, closed and removed after it. */
export interface EngineBench {
  readonly file: string
  open(options?: Partial<SqliteEngineOptions>): Promise<SqliteEngine>
  openWithLedger(options?: Partial<SqliteEngineOptions>): Promise<SqliteEngine>
  /** The ledger's values in the order in which they were written, as somebody else sees them. */
  ledger(): string[]
  /** Takes SQLite's write lock on a connection that is not the engine's; answers how to let go of it. */
  holdLock(): () => void
}

/** Prepares a database file for each test of the suite that calls it. */
export function engineBench(): EngineBench {
  let database: TemporarySqlite
  const cleanups: (() => Promise<void> | void)[] = []
  const foreign = (): BetterSqlite3.Database => {
    const connection = new BetterSqlite3(database.file, { timeout: 0 })
    cleanups.push(() => void connection.close())
    return connection
  }
  beforeEach(() => {
    database = temporarySqlite()
  })
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
    database.remove()
  })
  const open = async (options: Partial<SqliteEngineOptions> = {}): Promise<SqliteEngine> => {
    const defaults = { file: database.file, busyTimeoutMs: 5_000, synchronous: 'NORMAL' } as const
    const engine = await SqliteEngine.open({ ...defaults, ...options })
    cleanups.push(() => engine.close())
    return engine
  }
  return {
    get file() {
      return database.file
    },
    open,
    openWithLedger: async (options) => {
      const connection = new BetterSqlite3(database.file)
      connection.exec(LEDGER)
      connection.close()
      return open(options)
    },
    ledger: () => foreign().prepare<[], string>('SELECT value FROM ledger ORDER BY id').pluck().all(),
    holdLock: () => {
      const connection = foreign()
      connection.exec('BEGIN IMMEDIATE')
      return () => void connection.exec('ROLLBACK')
    },
  }
}
