import { closeSync, existsSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3'
import { ColumnTypeEnum } from '@prisma/driver-adapter-utils'
import Database from 'better-sqlite3'
import { accessDenied, databaseDoesNotExist, invalidUrl } from './errors.mjs'
import { dropEverything } from './sqlite-contents.mjs'
import { MigrationLock } from './sqlite-lock.mjs'

/** How long a statement waits for another process's write lock (SQLite's `busy_timeout`). */
const BUSY_TIMEOUT_MS = 30_000

/** What SQLite keeps beside a database file. */
const COMPANIONS = ['', '-wal', '-shm', '-journal']

const IN_MEMORY = ':memory:'

/**
 * How timestamps of `_prisma_migrations` are written. Native engines write milliseconds since the epoch; the engine
 * reads that form and ISO 8601 alike, so a history can be continued by either engine.
 */
const ADAPTER_OPTIONS = { timestampFormat: 'unixepoch-ms' }

const HISTORY_TABLE = '_prisma_migrations'
const { DateTime, Int32, Text } = ColumnTypeEnum
const HISTORY_COLUMNS = {
  id: Text,
  checksum: Text,
  finished_at: DateTime,
  migration_name: Text,
  logs: Text,
  rolled_back_at: DateTime,
  started_at: DateTime,
  applied_steps_count: Int32,
}

/** What a database without a migration history answers: the adapter's own error would stop the engine with P1014. */
const EMPTY_HISTORY = {
  columnNames: Object.keys(HISTORY_COLUMNS),
  columnTypes: Object.values(HISTORY_COLUMNS),
  rows: [],
}

/**
 * An SQLite database file. The journal mode is the file's own: nothing here changes it.
 * @implements {import('./databases.mjs').Database}
 */
export class SqliteDatabase {
  provider = 'sqlite'
  adapterName = '@prisma/adapter-better-sqlite3'
  #file
  #lock
  #connections = []

  /** @param {import('./arguments.mjs').Datasource} datasource */
  constructor({ url }) {
    this.#file = fileOf(url)
    this.#lock = new MigrationLock(this.#file, BUSY_TIMEOUT_MS)
  }

  async connect() {
    mkdirSync(dirname(this.#file), { recursive: true })
    return this.#connectTo(this.#file)
  }

  /** The shadow database lives in memory and ends with its connection. */
  async connectToShadowDb() {
    return this.#connectTo(IN_MEMORY)
  }

  async #connectTo(url) {
    const factory = new PrismaBetterSqlite3({ url, timeout: BUSY_TIMEOUT_MS }, ADAPTER_OPTIONS)
    const adapter = adapt(await factory.connect(), this.#lock)
    this.#connections.push(adapter)
    return adapter
  }

  /** @throws `P1003` when there is no file, `P1010` when it may not be opened */
  async canConnect() {
    if (!existsSync(this.#file)) throw databaseDoesNotExist(this.#file)
    this.#use((database) => database.prepare('SELECT count(*) FROM sqlite_master').get())
  }

  /** Creates an empty file, and its folder when missing. One that another process has just created will do. */
  async create() {
    mkdirSync(dirname(this.#file), { recursive: true })
    closeSync(openSync(this.#file, 'a'))
  }

  async drop() {
    if (!existsSync(this.#file)) throw databaseDoesNotExist(this.#file)
    for (const suffix of COMPANIONS) rmSync(this.#file + suffix, { force: true })
  }

  /** Drops what the database holds, not the file: other processes may have it open. */
  async dropContents() {
    this.#use(dropEverything)
  }

  async endCall() {
    this.#lock.release()
  }

  async dispose() {
    await Promise.all(this.#connections.splice(0).map((adapter) => adapter.dispose()))
    this.#lock.release()
  }

  /** @param {(database: Database.Database) => void} work */
  #use(work) {
    const database = this.#open()
    try {
      work(database)
    } finally {
      database.close()
    }
  }

  #open() {
    try {
      return new Database(this.#file, { timeout: BUSY_TIMEOUT_MS, fileMustExist: true })
    } catch (error) {
      throw error.code === 'SQLITE_CANTOPEN' ? accessDenied(this.#file) : error
    }
  }
}

/**
 * The file that a URL names, absolute; a relative one counts from the working folder. Prisma's URLs may carry
 * parameters, of which none means anything here.
 * @param {string | undefined} url
 */
function fileOf(url = '') {
  const path = url.replace(/^file:(\/\/(?=\/))?/, '').replace(/[?#].*$/, '')
  if (path === '' || path === IN_MEMORY) throw invalidUrl('It must name a file.')
  return resolve(path)
}

/**
 * Makes the adapter answer what the engine expects of a native connection.
 * @param {any} adapter
 * @param {MigrationLock} lock
 */
function adapt(adapter, lock) {
  const { queryRaw, executeRaw } = adapter
  adapter.queryRaw = (query) => queryRaw.call(adapter, query).catch(answerMissingHistory)
  adapter.executeRaw = async (query) => {
    if (lock.isRequestedBy(query.sql)) return lock.acquire()
    return executeRaw.call(adapter, query).catch((error) => executeSeveral(adapter, query, error))
  }
  return adapter
}

/**
 * The engine gives whole scripts to a method for one statement (`db execute`, migrations on the shadow database), which
 * better-sqlite3 refuses before it runs any of it.
 * @returns {Promise<number>} the count of changed rows, which nobody reads after a script
 */
async function executeSeveral(adapter, query, error) {
  if (!(error instanceof RangeError)) throw error
  await adapter.executeScript(query.sql)
  return 0
}

/** @param {any} error */
function answerMissingHistory(error) {
  const { kind, table } = error.cause ?? {}
  if (kind === 'TableDoesNotExist' && table === HISTORY_TABLE) return EMPTY_HISTORY
  throw error
}
