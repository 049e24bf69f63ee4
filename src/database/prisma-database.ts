import { Database, type DatabaseAccess, type DatabaseClient, type DirectReads, type DirectWrites } from './database.js'
import type { AppliedMigration } from './migrations/migration-history.js'

/** The client in a transaction: one that is begun in it is a savepoint of it. */
export interface NestableClient extends DatabaseClient {
  $transaction<T>(work: (client: NestableClient) => Promise<T>): Promise<T>
}

/** What both generated clients offer beyond the models. */
export interface TransactionalClient extends NestableClient {
  $queryRawUnsafe<T>(sql: string): Promise<T>
  $disconnect(): Promise<void>
}

/**
 * How every client is made. For the longer format each call notes where it came from, in an Error with its stack, in case
 * that it fails: 20 µs, a twelfth of a PUT. What has failed is told by codes.
 */
export const CLIENT_OPTIONS = { errorFormat: 'minimal' } as const

/** SQLite has numbers for truth values. */
interface MigrationRow {
  readonly name: string
  readonly checksum: string
  readonly is_finished: boolean | number | bigint
  readonly is_rolled_back: boolean | number | bigint
}

const HISTORY = `
  SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS is_finished, rolled_back_at IS NOT NULL AS is_rolled_back
  FROM _prisma_migrations ORDER BY started_at`

/** The part of {@link Database} that does not depend on the dialect: Prisma's clients, and one translation of errors. */
export abstract class PrismaDatabase extends Database {
  override readonly directReads: DirectReads | null = null
  override readonly directWrites: DirectWrites | null = null

  protected constructor(
    protected readonly reader: TransactionalClient,
    protected readonly writer: TransactionalClient,
  ) {
    super()
  }

  override read<T>(work: (client: DatabaseClient) => Promise<T>): Promise<T> {
    return this.translated(() => work(this.reader))
  }

  override write<T>(work: (client: DatabaseClient) => Promise<T>): Promise<T> {
    return this.translated(() => work(this.writer))
  }

  override transaction<T>(work: (client: DatabaseClient) => Promise<T>): Promise<T> {
    return this.translated(() => this.begin(work))
  }

  override unitOfWork<T>(work: (inside: DatabaseAccess) => Promise<T>): Promise<T> {
    return this.translated(() => this.begin((client) => work(accessWithin(client))))
  }

  override async probe(): Promise<void> {
    await this.read((client) => client.persona.findFirst({ select: { id: true } }))
  }

  override async appliedMigrations(): Promise<AppliedMigration[]> {
    const rows = await this.translated(() => this.reader.$queryRawUnsafe<MigrationRow[]>(HISTORY))
    return rows.map(({ name, checksum, is_finished: isFinished, is_rolled_back: isRolledBack }) => {
      return { name, checksum, isFinished: Boolean(isFinished), isRolledBack: Boolean(isRolledBack) }
    })
  }

  /** Runs a transaction of Prisma's, with what the dialect has to say before and after it. */
  protected abstract begin<T>(work: (client: NestableClient) => Promise<T>): Promise<T>

  /** Turns an error of Prisma or of the driver into one of database-errors.ts, and leaves every other as it is. */
  protected abstract translate(error: unknown): unknown

  protected async translated<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw this.translate(error)
    }
  }
}

// Errors are translated where the transaction ends, and so once.
function accessWithin(client: NestableClient): DatabaseAccess {
  return {
    read: (work) => work(client),
    write: (work) => work(client),
    transaction: (work) => client.$transaction(work),
  }
}
