import { PrismaClient } from '../../generated/sqlite/client.js'
import { DatabaseUnavailableError, StorageFullError, WriteLockTimeoutError } from '../database-errors.js'
import { PrismaDatabase } from '../prisma-database.js'
import { readPrismaFailure } from '../prisma-error.js'
import { SqliteAdapterFactory } from './adapter.js'
import { SqliteEngine, type SqliteEngineOptions } from './engine.js'

// A transaction's statements take well under a millisecond each; one that is still open after this has lost its owner.
const TRANSACTION_TIMEOUT_MS = 5_000
// The engine gives up first and says why; Prisma's own limit is behind it.
const MAX_WAIT_MARGIN_MS = 1_000

/** The codes that mean that the file cannot be used now, whoever is at fault. */
const UNAVAILABLE = /^SQLITE_(CANTOPEN|IOERR|READONLY|NOTADB|CORRUPT|PROTOCOL|PERM|AUTH)/

/** SQLite, through the engine of this folder. */
export class SqliteDatabase extends PrismaDatabase {
  override readonly provider = 'sqlite'

  private constructor(
    client: PrismaClient,
    private readonly engine: SqliteEngine,
  ) {
    super(client)
  }

  /** @throws when the file cannot be opened, or SQLite did not take a PRAGMA */
  static async open(options: SqliteEngineOptions): Promise<SqliteDatabase> {
    const engine = await SqliteEngine.open(options)
    const client = new PrismaClient({
      adapter: new SqliteAdapterFactory(engine),
      transactionOptions: { maxWait: options.busyTimeoutMs + MAX_WAIT_MARGIN_MS, timeout: TRANSACTION_TIMEOUT_MS },
    })
    return new SqliteDatabase(client, engine)
  }

  override async close(): Promise<void> {
    await this.client.$disconnect()
    await this.engine.close()
  }

  protected override translate(error: unknown): unknown {
    const { prismaCode, driverCode } = readPrismaFailure(error)
    if (driverCode?.startsWith('SQLITE_BUSY')) return new WriteLockTimeoutError({ cause: error })
    if (driverCode === 'SQLITE_FULL') return new StorageFullError({ cause: error })
    if (driverCode !== undefined && UNAVAILABLE.test(driverCode)) {
      return new DatabaseUnavailableError(`The database file cannot be used (${driverCode}).`, { cause: error })
    }
    // P2028: Prisma's own transaction limits; P2021: the file lost its tables, so it is not the one we opened.
    if (prismaCode === 'P2028' || prismaCode === 'P2021') {
      return new DatabaseUnavailableError('The database cannot serve this now; nothing was written.', { cause: error })
    }
    return error
  }
}
