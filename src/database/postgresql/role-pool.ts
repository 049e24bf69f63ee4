import pg from 'pg'
import type { ConnectionRole } from '../observer.js'
import { ConnectFailedError, isReadOnlyServer, lossOf } from './failures.js'
import type { PoolUse, PostgresqlObserver } from './observer.js'

type Query = (config: string | pg.QueryConfig, values?: unknown[]) => Promise<unknown>

/** A statement that takes longer is asked after. A constant: it bounds how long a dead network goes unnoticed. */
const ASK_AFTER_MS = 2_000

/**
 * The connections of one role (reading or writing) to a PostgreSQL server, with what Prisma's adapter leaves to its
 * pool:
 * - whether a statement was sent or not is told by the error's class (failures.ts);
 * - a connection that is in a transaction, lost or connected to a replica never goes back into the pool;
 * - a server that has fallen silent is noticed long before a lock may be waited for.
 */
export class RolePool extends pg.Pool {
  readonly #observer: PostgresqlObserver
  readonly #unfit = new WeakSet<pg.ClientBase>()
  readonly #config: pg.PoolConfig

  constructor(
    readonly role: ConnectionRole,
    /** Whether a pooler answers there, see connection-config.ts. */
    readonly isPooled: boolean,
    config: pg.PoolConfig,
    observer: PostgresqlObserver = {},
  ) {
    super({ ...config, verify: refuseReplica })
    this.#config = config
    this.#observer = observer
    // A connection that breaks while nobody uses it is the pool's to replace; without listeners it ends the process.
    this.on('error', () => undefined)
    this.on('connect', (client) => {
      client.on('error', () => undefined)
      this.#observe(client)
    })
    this.on('release', (_error, client) => {
      // The pool looks whether it is ending right after this.
      if (this.#unfit.has(client) || client.getTransactionStatus() !== 'I') void client.end()
    })
    const connect = super.connect.bind(this) as () => Promise<pg.PoolClient>
    this.connect = (async () => {
      const start = performance.now()
      try {
        const client = await connect()
        observer.onConnection?.({ role, waitedMs: performance.now() - start })
        return client
      } catch (error) {
        observer.onConnectFailed?.({ role })
        throw new ConnectFailedError(error)
      }
    }) as typeof this.connect
    this.query = (async (query: pg.QueryConfig) => {
      const client = await this.connect()
      try {
        return await client.query(query)
      } finally {
        client.release()
      }
    }) as typeof this.query
  }

  /** How it is used now. */
  get use(): PoolUse {
    const { role, totalCount: total, idleCount: idle, waitingCount: waiting } = this
    return { role, total, idle, waiting, max: this.#config.max ?? 0 }
  }

  #observe(client: ObservedClient): void {
    const query = client.query.bind(client) as Query
    const observed: Query = async (config, values) => {
      const sql = typeof config === 'string' ? config : config.text
      const commits = client.getTransactionStatus() === 'I' ? sql !== 'BEGIN' : sql === 'COMMIT'
      const start = performance.now()
      const stopAsking = this.#askAfter(client)
      const stopListening = commits ? rejectWarnings(client) : () => undefined
      try {
        const result = await query(config, values)
        assertCommitted(sql, result, stopListening())
        return result
      } catch (error) {
        const loss = lossOf(error, commits && this.role === 'writer')
        if (loss) this.#observer.onConnectionLost?.({ role: this.role })
        if (loss || isReadOnlyServer(error)) this.#unfit.add(client)
        throw loss ?? error
      } finally {
        stopListening()
        stopAsking()
        this.#observer.onStatement?.({ sql, role: this.role, durationMs: performance.now() - start })
      }
    }
    client.query = observed as typeof client.query
  }

  /**
   * Asks the server every now and then, over a new connection, whether it is still at work on what this one waits for: a
   * lock may be waited for half a minute, and a network that swallows everything looks just the same from here.
   */
  #askAfter(client: ObservedClient): () => void {
    let isPending = true
    const timer = setInterval(() => {
      void isAtWork(this.#config, client.processID, this.isPooled).then((isSo) => {
        if (!isSo && isPending) void client.end()
      })
    }, ASK_AFTER_MS)
    return () => {
      isPending = false
      clearInterval(timer)
    }
  }
}

/** What the driver's clients have, and its types do not. */
type ObservedClient = pg.ClientBase & Pick<pg.Client, 'end'> & { readonly processID?: number | null }

/**
 * Whether the server works on a session's statement, or waits with it. A refusal of the question is as good as an answer
 * that it does. Behind a pooler a session is nobody's own: there it is enough that somebody answers.
 */
async function isAtWork(config: pg.ClientConfig, pid: number | null | undefined, isPooled: boolean): Promise<boolean> {
  const client = new pg.Client({ ...config, query_timeout: config.connectionTimeoutMillis })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query(`SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND state <> 'idle'`, [pid ?? 0])
    return isPooled || rows.length > 0
  } catch (error) {
    return (error as { severity?: unknown }).severity !== undefined
  } finally {
    void client.end()
  }
}

/** Remembers a warning of the server's; answers it, and stops listening. */
function rejectWarnings(client: pg.ClientBase): () => Error | undefined {
  let warning: Error | undefined
  const listener = (notice: { code?: string | undefined; message?: string | undefined }) => {
    // That a wait for a replica was cancelled is a warning (01000), or one of a shutdown (57P01); the write counts as made.
    if (/^(01|57P)/.test(notice.code ?? '')) warning = new Error(notice.message)
  }
  client.on('notice', listener)
  return () => {
    client.removeListener('notice', listener)
    return warning
  }
}

// What the server has committed here alone may be lost with it; and of a transaction that had failed it answers COMMIT
// with ROLLBACK, and no error.
function assertCommitted(sql: string, result: unknown, warning: Error | undefined): void {
  if (warning) throw warning
  const { command } = result as { command?: unknown }
  if (sql === 'COMMIT' && command !== 'COMMIT') throw new Error(`COMMIT was answered with ${String(command)}`)
}

// A replica answers reads, from a past of its own.
function refuseReplica(client: pg.PoolClient, done: (error?: Error) => void): void {
  client.query<{ is_replica: boolean }>('SELECT pg_is_in_recovery() AS is_replica').then(
    ({ rows }) => done(rows[0]?.is_replica ? new Error('The server is a replica.') : undefined),
    (error: Error) => done(error),
  )
}
