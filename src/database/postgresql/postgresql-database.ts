import { setTimeout as delay } from 'node:timers/promises'
import { PrismaPg } from '@prisma/adapter-pg'
import { PrismaClient } from '../../generated/postgresql/client.js'
import type { DatabaseClient } from '../database.js'
import { WriteLockTimeoutError, WriteQueueFullError } from '../database-errors.js'
import { FifoLock } from '../fifo-lock.js'
import { PrismaDatabase, type TransactionalClient } from '../prisma-database.js'
import { isPooled, limitedConfigOf } from './connection-config.js'
import { isConflict, isStaleConnection, translate } from './failures.js'
import { RolePool, type StatementListener } from './role-pool.js'

export interface PostgresqlDatabaseOptions {
  readonly url: string
  /** Most connections, half of them to read and half to write; 2 at least. */
  readonly poolSize: number
  readonly connectTimeoutMs: number
  /** How long the server may work on a statement. */
  readonly statementTimeoutMs: number
  /** How long a write waits for a connection, and then for a row that another transaction holds. */
  readonly busyTimeoutMs: number
  /** How many writes may wait for a connection; one more is refused at once. */
  readonly writeQueueLimit: number
  /** How long a transaction may stay without a statement. */
  readonly idleTimeoutMs: number
  /** How long a transaction may stay open. */
  readonly transactionTimeoutMs: number
  /** Called after each statement, when given; parameters are never passed. */
  readonly onStatement?: StatementListener
}

/** A conflict with others is rare, and one with the same others rarer still. */
const CONFLICT_ATTEMPTS = 4
const CONFLICT_PAUSE_MS = 10

/**
 * PostgreSQL, through Prisma's own adapter. Reads and writes have connections of their own, so that no read waits behind
 * a write that waits for a lock.
 */
export class PostgresqlDatabase extends PrismaDatabase {
  override readonly provider = 'postgresql'
  readonly #turns: FifoLock

  private constructor(
    private readonly clients: { readonly reader: TransactionalClient; readonly writer: TransactionalClient },
    private readonly options: PostgresqlDatabaseOptions,
  ) {
    super(clients.reader, clients.writer)
    this.#turns = new FifoLock(writersOf(options))
  }

  /** @throws Error when a certificate that the URL names cannot be read; the server is not asked yet */
  static open(options: PostgresqlDatabaseOptions): PostgresqlDatabase {
    const { url, connectTimeoutMs, statementTimeoutMs, busyTimeoutMs, transactionTimeoutMs, onStatement } = options
    // To PostgreSQL a timeout of 0 is none at all.
    const lockTimeoutMs = Math.max(1, busyTimeoutMs)
    const writers = writersOf(options)
    const limits = { connectTimeoutMs, lockTimeoutMs, idleTimeoutMs: options.idleTimeoutMs }
    const reading = limitedConfigOf(url, { ...limits, isReadOnly: true, statementTimeoutMs })
    // It may wait for a lock as long as any other write, and work as long after that.
    const writing = limitedConfigOf(url, {
      ...limits,
      isReadOnly: false,
      statementTimeoutMs: lockTimeoutMs + statementTimeoutMs,
    })
    const reader = openClient(
      new RolePool('reader', isPooled(url), { ...reading, max: options.poolSize - writers }, onStatement),
    )
    const writer = openClient(new RolePool('writer', isPooled(url), { ...writing, max: writers }, onStatement), {
      maxWait: connectTimeoutMs,
      timeout: lockTimeoutMs + transactionTimeoutMs,
    })
    return new PostgresqlDatabase({ reader, writer }, options)
  }

  /** A read whose connection turns out to be dead is made again on another. */
  override read<T>(work: (client: DatabaseClient) => Promise<T>): Promise<T> {
    return this.translated(async () => {
      try {
        return await work(this.reader)
      } catch (error) {
        if (!isStaleConnection(error)) throw error
        return work(this.reader)
      }
    })
  }

  override write<T>(work: (client: DatabaseClient) => Promise<T>): Promise<T> {
    return this.translated(() => this.#inTurn(() => work(this.writer)))
  }

  override transaction<T>(work: (client: DatabaseClient) => Promise<T>): Promise<T> {
    return this.translated(() => this.#inTurn(() => this.writer.$transaction(work)))
  }

  // To give out a transaction id is the least that the server writes.
  override async probeWrite(): Promise<void> {
    await this.translated(() =>
      this.#inTurn(() => this.clients.writer.$queryRawUnsafe('SELECT pg_current_xact_id()::text')),
    )
  }

  override assertUsable(): void {
    // A server that is away comes back, and is the same one: each connection asks for itself.
  }

  override async close(): Promise<void> {
    await Promise.all(Object.values(this.clients).map((client) => client.$disconnect()))
  }

  protected override translate(error: unknown): unknown {
    return translate(error)
  }

  /** Waits for one of the connections that write; what the server rolls back because of others is made again. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const { busyTimeoutMs, writeQueueLimit } = this.options
    if (this.#turns.waiting >= writeQueueLimit) throw new WriteQueueFullError()
    const leave = await this.#turns.acquire(busyTimeoutMs)
    if (!leave) throw new WriteLockTimeoutError()
    try {
      return await againAfterConflicts(work)
    } finally {
      leave()
    }
  }
}

function openClient(
  pool: RolePool,
  transactionOptions?: { readonly maxWait: number; readonly timeout: number },
): TransactionalClient {
  const adapter = new PrismaPg(pool, { disposeExternalPool: true })
  const client = new PrismaClient({ adapter, ...(transactionOptions && { transactionOptions }) })
  // Both dialects' clients are generated from the same models; this one has a few options more (skipDuplicates, mode).
  return client as unknown as TransactionalClient
}

// Nothing of a transaction that was rolled back is left, so that its work may be done again.
async function againAfterConflicts<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt === CONFLICT_ATTEMPTS || !isConflict(error)) throw error
    }
    await delay(Math.random() * attempt * CONFLICT_PAUSE_MS)
  }
}

function writersOf({ poolSize }: PostgresqlDatabaseOptions): number {
  return Math.ceil(poolSize / 2)
}
