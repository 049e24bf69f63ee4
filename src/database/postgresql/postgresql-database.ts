import { setTimeout as delay } from 'node:timers/promises'
import { PrismaPg } from '@prisma/adapter-pg'
import { PrismaClient } from '../../generated/postgresql/client.js'
import type { CommitWatch } from '../commit-watch.js'
import type { DatabaseClient, DatabaseDescription, DirectReads, DirectWrites, GivenNumbers } from '../database.js'
import { WriteLockTimeoutError, WriteOutcomeUnknownError, WriteQueueFullError } from '../database-errors.js'
import { FifoLock } from '../fifo-lock.js'
import type { TransactionKind } from '../observer.js'
import { CLIENT_OPTIONS, type NestableClient, PrismaDatabase, type TransactionalClient } from '../prisma-database.js'
import { CommitSignal, SIGNAL } from './commit-signal.js'
import { type ConnectionLimits, isPooled, limitedConfigOf } from './connection-config.js'
import { isConflict, isStaleConnection, translate } from './failures.js'
import { givenNumbersOf } from './given-numbers.js'
import { listeningUrlOf, NotifyWatch } from './notify-watch.js'
import type { PoolUse, PostgresqlObserver, PostgresqlOutcome } from './observer.js'
import { PreparedStatements } from './prepared-statements.js'
import { RolePool } from './role-pool.js'

export interface PostgresqlDatabaseOptions {
  readonly url: string
  /** The server itself, when `url` is a pooler; null when there is no way past that. */
  readonly directUrl?: string | null
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
  readonly observer?: PostgresqlObserver
}

/** For what is asked several times a second: an answer that comes later is of no use. */
const APART_TIMEOUT_MS = 2_000

/** A conflict with others is rare, and one with the same others rarer still. */
const CONFLICT_ATTEMPTS = 4
const CONFLICT_PAUSE_MS = 10

/**
 * PostgreSQL, through Prisma's own adapter. Reads and writes have connections of their own, so that no read waits behind
 * a write that waits for a lock.
 */
export class PostgresqlDatabase extends PrismaDatabase {
  override readonly provider = 'postgresql'
  override readonly directReads: DirectReads
  override readonly directWrites: DirectWrites
  readonly #turns: FifoLock
  /** Sent by those who read, so that it takes no connection from those who write. */
  readonly #signal = new CommitSignal(() => this.rolePools[0].query({ text: SIGNAL }))

  private constructor(
    private readonly clients: { readonly reader: TransactionalClient; readonly writer: TransactionalClient },
    private readonly options: PostgresqlDatabaseOptions,
    private readonly rolePools: readonly [readers: RolePool, writers: RolePool],
    private readonly apart: RolePool,
  ) {
    super(clients.reader, clients.writer)
    const [readers, writers] = rolePools
    this.#turns = new FifoLock(writersOf(options))
    const statements = new PreparedStatements(readers)
    const statementsApart = new PreparedStatements(apart)
    const writes = new PreparedStatements(writers)
    this.directReads = {
      kind: 'remote',
      rows: (sql, values) => this.translated(() => onceMoreIfStale(() => statements.rows(sql, values))),
      rowsOnce: (sql, values) => this.translated(() => onceMoreIfStale(() => statements.rowsOnce(sql, values))),
      rowsApart: (sql) => this.translated(() => onceMoreIfStale(() => statementsApart.rows(sql, []))),
    }
    this.directWrites = {
      kind: 'remote',
      rows: (sql, values) => this.translated(() => this.#inTurn('write', () => writes.rows(sql, values))),
    }
  }

  /** @throws Error when a certificate that the URL names cannot be read; the server is not asked yet */
  static open(options: PostgresqlDatabaseOptions): PostgresqlDatabase {
    const { url, connectTimeoutMs, statementTimeoutMs, busyTimeoutMs, transactionTimeoutMs, observer } = options
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
    const readers = new RolePool('reader', isPooled(url), { ...reading, max: options.poolSize - writers }, observer)
    const writersPool = new RolePool('writer', isPooled(url), { ...writing, max: writers }, observer)
    const writer = openClient(writersPool, {
      maxWait: connectTimeoutMs,
      timeout: lockTimeoutMs + transactionTimeoutMs,
    })
    const clients = { reader: openClient(readers), writer }
    return new PostgresqlDatabase(clients, options, [readers, writersPool], openApart(options, limits))
  }

  /** A read whose connection turns out to be dead is made again on another. */
  override read<T>(work: (client: DatabaseClient) => Promise<T>): Promise<T> {
    return this.translated(() => onceMoreIfStale(() => work(this.reader)))
  }

  override numbersOf(table: string): Promise<GivenNumbers> {
    const [readers] = this.rolePools
    return this.translated(() => onceMoreIfStale(() => givenNumbersOf(table, (config) => readers.query(config))))
  }

  override watchCommits(onCommit: () => void): CommitWatch {
    const { url, directUrl = null } = this.options
    return new NotifyWatch(listeningUrlOf(url, directUrl), onCommit)
  }

  override write<T>(work: (client: DatabaseClient) => Promise<T>): Promise<T> {
    return this.translated(() => this.#inTurn('write', () => work(this.writer)))
  }

  /** How many writes of this process wait for one of the connections that write. */
  get waitingWrites(): number {
    return this.#turns.waiting
  }

  /** How the connections are used now. */
  get pools(): readonly PoolUse[] {
    return this.rolePools.map((pool) => pool.use)
  }

  override async describe(): Promise<DatabaseDescription> {
    const [row] = await this.translated(() =>
      this.reader.$queryRawUnsafe<{ version: string; bytes: bigint; encoding: string; max_connections: string }[]>(
        `SELECT current_setting('server_version') AS version, pg_database_size(current_database()) AS bytes,
                current_setting('server_encoding') AS encoding, current_setting('max_connections') AS max_connections`,
      ),
    )
    const { version = '', bytes = 0n, encoding = '', max_connections: connections = '0' } = row ?? {}
    return { version, bytes: Number(bytes), details: { encoding, max_connections: Number(connections) } }
  }

  // To give out a transaction id is the least that the server writes.
  override async probeWrite(): Promise<void> {
    await this.translated(() =>
      this.#inTurn('write', () => this.clients.writer.$queryRawUnsafe('SELECT pg_current_xact_id()::text')),
    )
  }

  override assertUsable(): void {
    // A server that is away comes back, and is the same one: each connection asks for itself.
  }

  override async close(): Promise<void> {
    this.#signal.close()
    await Promise.all(Object.values(this.clients).map((client) => client.$disconnect()))
    // A client of Prisma's that was never asked leaves its pool open, which others may have used.
    const open = [...this.rolePools, this.apart].filter((pool) => !pool.ending)
    await Promise.all(open.map((pool) => pool.end()))
  }

  protected override begin<T>(work: (client: NestableClient) => Promise<T>): Promise<T> {
    return this.#inTurn('transaction', () => this.writer.$transaction(work))
  }

  protected override translate(error: unknown): unknown {
    return translate(error)
  }

  /** Waits for one of the connections that write; what the server rolls back because of others is made again. */
  async #inTurn<T>(kind: TransactionKind, work: () => Promise<T>): Promise<T> {
    const { busyTimeoutMs, writeQueueLimit, observer = {} } = this.options
    const since = performance.now()
    if (this.#turns.waiting >= writeQueueLimit) {
      observer.onRefused?.({ reason: 'queue-full', waitedMs: 0 })
      throw new WriteQueueFullError()
    }
    const leave = await this.#turns.acquire(busyTimeoutMs)
    const startedAt = performance.now()
    const waitedMs = startedAt - since
    if (!leave) {
      observer.onRefused?.({ reason: 'lock-timeout', waitedMs })
      throw new WriteLockTimeoutError()
    }
    observer.onTurn?.({ waitedMs })
    let outcome: PostgresqlOutcome = 'rollback'
    try {
      const result = await againAfterConflicts(work, () => observer.onConflict?.())
      outcome = 'commit'
      return result
    } catch (error) {
      const failure = translate(error)
      if (failure instanceof WriteOutcomeUnknownError) outcome = 'unknown'
      const now = performance.now()
      if (failure instanceof WriteLockTimeoutError) {
        observer.onRefused?.({ reason: 'lock-timeout', waitedMs: now - since, lockMs: now - startedAt })
      }
      throw failure
    } finally {
      leave()
      if (outcome !== 'rollback') this.#signal.committed()
      observer.onTransactionEnd?.({ kind, outcome, heldMs: performance.now() - startedAt })
    }
  }
}

async function onceMoreIfStale<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!isStaleConnection(error)) throw error
    return read()
  }
}

/** One connection, which is made when it is first used; to the server itself where there is a way past the pooler. */
function openApart(
  options: PostgresqlDatabaseOptions,
  limits: Omit<ConnectionLimits, 'isReadOnly' | 'statementTimeoutMs'>,
) {
  const { url, directUrl, observer } = options
  const apartUrl = directUrl ?? url
  const config = limitedConfigOf(apartUrl, {
    ...limits,
    isReadOnly: true,
    connectTimeoutMs: Math.min(limits.connectTimeoutMs, APART_TIMEOUT_MS),
    statementTimeoutMs: APART_TIMEOUT_MS,
  })
  // How long requests wait for a connection is measured: this one is nobody's to wait for.
  const unmeasured = { ...observer, onConnection: () => undefined }
  return new RolePool('reader', isPooled(apartUrl), { ...config, max: 1 }, unmeasured)
}

function openClient(
  pool: RolePool,
  transactionOptions?: { readonly maxWait: number; readonly timeout: number },
): TransactionalClient {
  const adapter = new PrismaPg(pool, { disposeExternalPool: true })
  const client = new PrismaClient({ ...CLIENT_OPTIONS, adapter, ...(transactionOptions && { transactionOptions }) })
  // Both dialects' clients are generated from the same models; this one has a few options more (skipDuplicates, mode).
  return client as unknown as TransactionalClient
}

// Nothing of a transaction that was rolled back is left, so that its work may be done again.
async function againAfterConflicts<T>(work: () => Promise<T>, onConflict: () => void): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt === CONFLICT_ATTEMPTS || !isConflict(error)) throw error
      onConflict()
    }
    await delay(Math.random() * attempt * CONFLICT_PAUSE_MS)
  }
}

function writersOf({ poolSize }: PostgresqlDatabaseOptions): number {
  return Math.ceil(poolSize / 2)
}
