import { PrismaPg } from '@prisma/adapter-pg'
import { PrismaClient } from '../../generated/postgresql/client.js'
import { DatabaseUnavailableError, StorageFullError, WriteLockTimeoutError } from '../database-errors.js'
import { PrismaDatabase, type TransactionalClient } from '../prisma-database.js'
import { readPrismaFailure } from '../prisma-error.js'

export interface PostgresqlDatabaseOptions {
  readonly url: string
  /** How long a write waits for a row that another transaction holds. */
  readonly busyTimeoutMs: number
  /** How long a transaction may stay open. */
  readonly transactionTimeoutMs: number
  /** Called after each statement, when given; parameters are never passed. */
  readonly onStatement?: (event: { readonly sql: string; readonly durationMs: number }) => void
}

const CONNECT_TIMEOUT_MS = 5_000
const MAX_WAIT_MARGIN_MS = 1_000

/** SQLSTATE codes (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const LOCK_NOT_AVAILABLE = '55P03'
const STORAGE_FULL = new Set(['53100', '53200'])
// Classes 08 (connection), 53 (resources), 57P (operator intervention, among them shutdown), and what the driver and
// Node say when nobody answers.
const UNAVAILABLE = /^(08|53|57P|25006|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EHOST)/
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
    const adapter = new PrismaPg({
      connectionString: options.url,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      options: `-c lock_timeout=${options.busyTimeoutMs}`,
    })
    const client = new PrismaClient({
      adapter,
      log: [{ emit: 'event', level: 'query' }],
      transactionOptions: {
        maxWait: options.busyTimeoutMs + MAX_WAIT_MARGIN_MS,
        timeout: options.transactionTimeoutMs,
      },
    })
    const { onStatement } = options
    if (onStatement) client.$on('query', (event) => onStatement({ sql: event.query, durationMs: event.duration }))
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
    const isAway =
      (driverCode !== undefined && UNAVAILABLE.test(driverCode)) ||
      (prismaCode !== undefined && UNAVAILABLE_PRISMA.has(prismaCode))
    return isAway ? new DatabaseUnavailableError('The database does not answer.', { cause: error }) : error
  }
}
