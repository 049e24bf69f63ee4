import { PrismaClient } from '../../generated/sqlite/client.js'
import {
  DATABASE_MOVED_CODE,
  DatabaseMovedError,
  DatabaseUnavailableError,
  StorageFullError,
  WriteLockTimeoutError,
  WriteOutcomeUnknownError,
  WriteQueueFullError,
} from '../database-errors.js'
import type { CommitWatch } from '../commit-watch.js'
import type { DatabaseClient, DatabaseDescription, DirectReads, DirectWrites, GivenNumbers } from '../database.js'
import { CLIENT_OPTIONS, type NestableClient, PrismaDatabase } from '../prisma-database.js'
import { readPrismaFailure } from '../prisma-error.js'
import { SqliteAdapterFactory } from './adapter.js'
import { DataVersionWatch } from './data-version-watch.js'
import { COMMIT_OUTCOME_UNKNOWN, TRANSACTION_CLOSED, translated, WRITE_QUEUE_FULL } from './errors.js'
import { DEFAULT_TRANSACTION_TIMEOUT_MS, SqliteEngine, type SqliteEngineOptions } from './engine.js'

// The engine gives up first and says why; Prisma's own limits are behind it.
const PRISMA_MARGIN_MS = 1_000

/** The codes that mean that the file cannot be used now, whoever is at fault. */
const UNAVAILABLE = /^SQLITE_(CANTOPEN|IOERR|READONLY|NOTADB|CORRUPT|PROTOCOL|PERM|AUTH)/

/** What a write needs in the WAL, and what the WAL's last page may still have when there is no more of it. */
const MIN_ROOM_BYTES = 262_144
const NUMBERS = 'SELECT seq FROM sqlite_sequence WHERE name = ?'
const DESCRIBING = ['page_size', 'page_count', 'freelist_count', 'journal_mode', 'encoding', 'user_version'] as const

/** A number of SQLite's, which may come as a text. */
function plain(value: unknown): string | number {
  return typeof value === 'string' && !/^\d+$/.test(value) ? value : Number(value)
}

/** SQLite, through the engine of this folder. */
export class SqliteDatabase extends PrismaDatabase {
  override readonly provider = 'sqlite'
  override readonly directReads: DirectReads = {
    kind: 'local',
    read: (work) => this.translated(() => this.engine.read(work)),
  }
  override readonly directWrites: DirectWrites = {
    kind: 'local',
    rows: (sql, values) => this.translated(() => translated(() => this.engine.writePlain(sql, values))),
  }

  private constructor(
    client: PrismaClient,
    private readonly engine: SqliteEngine,
    private readonly file: string,
  ) {
    // One client: the engine tells reads and writes apart by what SQLite says of the statement.
    super(client, client)
  }

  /** @throws when the file cannot be opened, or SQLite did not take a PRAGMA */
  static async open(options: SqliteEngineOptions): Promise<SqliteDatabase> {
    const engine = await SqliteEngine.open(options)
    const { busyTimeoutMs, transactionTimeoutMs = DEFAULT_TRANSACTION_TIMEOUT_MS } = options
    const client = new PrismaClient({
      ...CLIENT_OPTIONS,
      adapter: new SqliteAdapterFactory(engine),
      transactionOptions: {
        maxWait: busyTimeoutMs + PRISMA_MARGIN_MS,
        timeout: transactionTimeoutMs + PRISMA_MARGIN_MS,
      },
    })
    return new SqliteDatabase(client, engine, options.file)
  }

  override assertUsable(): void {
    this.engine.assertUsable()
  }

  override async describe(): Promise<DatabaseDescription> {
    const read = async (sql: string) => (await this.engine.query({ sql, args: [], argTypes: [] })).rows[0]?.[0]
    const entries = await Promise.all(
      DESCRIBING.map(async (name) => [name, plain(await read(`PRAGMA ${name}`))] as const),
    )
    const details = Object.fromEntries(entries)
    const bytes = Number(details['page_size']) * Number(details['page_count'])
    return { version: String(await read('SELECT sqlite_version()')), bytes, details }
  }

  // One writes at a time: a number that is given out comes with its row, or not at all.
  override async numbersOf(table: string): Promise<GivenNumbers> {
    const query = { sql: NUMBERS, args: [table], argTypes: [{ scalarType: 'string', arity: 'scalar' } as const] }
    const { rows } = await this.translated(() => this.engine.query(query))
    const last = Number(rows[0]?.[0] ?? 0)
    return { last, settled: last }
  }

  override watchCommits(onCommit: () => void): CommitWatch {
    return new DataVersionWatch(this.file, onCommit)
  }

  override probeWrite(): Promise<void> {
    return this.translated(() => this.engine.probeWrite(MIN_ROOM_BYTES))
  }

  /** How many writes of this process wait for the lock. */
  get waitingWrites(): number {
    return this.engine.waitingWrites
  }

  override probe(): Promise<void> {
    return this.translated(async () => {
      this.assertUsable()
      await super.probe()
    })
  }

  // A write that will be refused is refused before Prisma has compiled it: under overload that is most of the work.
  override write<T>(work: (client: DatabaseClient) => Promise<T>): Promise<T> {
    return this.translated(() => {
      this.engine.admit()
      return work(this.writer)
    })
  }

  override async close(): Promise<void> {
    await this.writer.$disconnect()
    await this.engine.close()
  }

  protected override begin<T>(work: (client: NestableClient) => Promise<T>): Promise<T> {
    this.engine.admit()
    return this.writer.$transaction(work)
  }

  protected override translate(error: unknown): unknown {
    const { prismaCode, driverCode, driverMessage } = readPrismaFailure(error)
    if (driverCode === WRITE_QUEUE_FULL) return new WriteQueueFullError({ cause: error })
    if (driverCode === 'SQLITE_BUSY_SNAPSHOT') {
      return new DatabaseUnavailableError('The transaction had read what has changed since; nothing was written.', {
        cause: error,
      })
    }
    if (driverCode?.startsWith('SQLITE_BUSY')) return new WriteLockTimeoutError({ cause: error })
    if (driverCode === COMMIT_OUTCOME_UNKNOWN) return new WriteOutcomeUnknownError({ cause: error })
    if (driverCode === 'SQLITE_FULL') return new StorageFullError({ cause: error })
    if (driverCode === 'SQLITE_CONSTRAINT_TRIGGER' && driverMessage?.startsWith(`${DATABASE_MOVED_CODE}:`)) {
      return new DatabaseMovedError({ cause: error })
    }
    if (driverCode === 'SQLITE_READONLY_DBMOVED') {
      return new DatabaseUnavailableError('The database file was replaced or removed.', { cause: error })
    }
    if (driverCode !== undefined && UNAVAILABLE.test(driverCode)) {
      return new DatabaseUnavailableError(`The database file cannot be used (${driverCode}).`, { cause: error })
    }
    // Closed: the watchdog was faster; P2028: Prisma's own transaction limits; P2021: the file lost its tables, so it is not the one we opened.
    if (driverCode === TRANSACTION_CLOSED || prismaCode === 'P2028' || prismaCode === 'P2021') {
      return new DatabaseUnavailableError('The database cannot serve this now; nothing was written.', { cause: error })
    }
    return error
  }
}
