import { PrismaPg } from '@prisma/adapter-pg'
import { PrismaClient } from '../../generated/postgresql/client.js'
import { DatabaseUnavailableError, StorageFullError, WriteLockTimeoutError } from '../database-errors.js'
import { PrismaDatabase, type TransactionalClient } from '../prisma-database.js'
import { readPrismaFailure } from '../prisma-error.js'
import { createPool, type StatementListener } from './instrumented-pool.js'

export interface PostgresqlDatabaseOptions {
  readonly url: string
  /** How long a write waits for a row that another transaction holds. */
  readonly busyTimeoutMs: number
  /** How long a transaction may stay open. */
  readonly transactionTimeoutMs: number
  /** Called after each statement, when given; parameters are never passed. */
  readonly onStatement?: StatementListener
}

const CONNECT_TIMEOUT_MS = 5_000
const ANSWER_TIMEOUT_MS = 5_000

/** SQLSTATE codes (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const LOCK_NOT_AVAILABLE = '55P03'
const STORAGE_FULL = new Set(['53100', '53200'])
// Classes 08 (connection), 53 (resources), 57P (operator intervention, among them shutdown), and what the driver and
// Node say when nobody answers.
const UNAVAILABLE = /^(08|53|57P|25006|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EHOST)/
const WITHOUT_CODE = /timeout exceeded when trying to connect|Connection terminated|Query read timeout/
// P1001 and P1002: not reachable; P1008: timed out; P1017: connection closed; P2024: pool timed out; P2028: transaction
// limits; P2037: too many connections.
const UNAVAILABLE_PRISMA = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028', 'P2037'])

/** PostgreSQL, through Prisma's own adapter: it has a connection for each transaction. */
export class PostgresqlDatabase extends PrismaDatabase {
  override readonly provider = 'postgresql'

  private constructor(client: TransactionalClient) {
    super(client)
  }

  static open(options: PostgresqlDatabaseOptions): PostgresqlDatabase {
    const { url, busyTimeoutMs, transactionTimeoutMs, onStatement } = options
    // To PostgreSQL a lock timeout of 0 is none at all.
    const lockTimeoutMs = Math.max(1, busyTimeoutMs)
    const pool = createPool(
      {
        connectionString: url,
        connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
        options: `-c lock_timeout=${lockTimeoutMs}`,
        // For a server that has stopped answering: a statement waits for a lock at most, and runs for a moment.
        query_timeout: lockTimeoutMs + ANSWER_TIMEOUT_MS,
      },
      onStatement,
    )
    const client = new PrismaClient({
      adapter: new PrismaPg(pool, { disposeExternalPool: true }),
      // A transaction may wait for a lock as long as any other write.
      transactionOptions: { maxWait: CONNECT_TIMEOUT_MS, timeout: lockTimeoutMs + transactionTimeoutMs },
    })
    // Both clients are generated from the same models; this one has a few options more (skipDuplicates, mode).
    return new PostgresqlDatabase(client as unknown as TransactionalClient)
  }

  override async close(): Promise<void> {
    await this.client.$disconnect()
  }

  protected override translate(error: unknown): unknown {
    const { prismaCode, driverCode } = readPrismaFailure(error)
    if (driverCode === LOCK_NOT_AVAILABLE) return new WriteLockTimeoutError({ cause: error })
    if (driverCode !== undefined && STORAGE_FULL.has(driverCode)) return new StorageFullError({ cause: error })
    // pg has no code for these: the pool is exhausted, or the connection broke or fell silent under a statement.
    if (error instanceof Error && WITHOUT_CODE.test(error.message)) {
      return new DatabaseUnavailableError('The database does not answer.', { cause: error })
    }
    const isAway =
      (driverCode !== undefined && UNAVAILABLE.test(driverCode)) ||
      (prismaCode !== undefined && UNAVAILABLE_PRISMA.has(prismaCode))
    return isAway ? new DatabaseUnavailableError('The database does not answer.', { cause: error }) : error
  }
}
