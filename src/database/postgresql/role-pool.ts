import pg from 'pg'
import { ConnectFailedError, isReadOnlyServer, lossOf } from './failures.js'

/** Told of each statement that a connection has run; parameters are never passed. */
export type StatementListener = (event: { readonly sql: string; readonly durationMs: number }) => void

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
  readonly #onStatement: StatementListener | undefined
  readonly #unfit = new WeakSet<pg.ClientBase>()
  readonly #config: pg.PoolConfig
  #asking: Promise<boolean> | undefined

  constructor(
    readonly role: 'reader' | 'writer',
    config: pg.PoolConfig,
    onStatement?: StatementListener,
  ) {
    super({ ...config, verify: refuseReplica })
    this.#config = config
    this.#onStatement = onStatement
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
      try {
        return await connect()
      } catch (error) {
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

  #observe(client: pg.ClientBase): void {
    const query = client.query.bind(client) as Query
    const observed: Query = async (config, values) => {
      const sql = typeof config === 'string' ? config : config.text
      const commits = client.getTransactionStatus() === 'I' ? sql !== 'BEGIN' : sql === 'COMMIT'
      const start = performance.now()
      const asking = setInterval(() => void this.#endIfSilent(client), ASK_AFTER_MS)
      try {
        return await query(config, values)
      } catch (error) {
        const loss = lossOf(error, commits && this.role === 'writer')
        if (loss || isReadOnlyServer(error)) this.#unfit.add(client)
        throw loss ?? error
      } finally {
        clearInterval(asking)
        this.#onStatement?.({ sql, durationMs: performance.now() - start })
      }
    }
    client.query = observed as typeof client.query
  }

  // A lock may be waited for half a minute; a network that swallows everything looks just the same from here.
  async #endIfSilent(client: pg.ClientBase): Promise<void> {
    this.#asking ??= answers(this.#config).finally(() => {
      this.#asking = undefined
    })
    if (!(await this.#asking)) void (client as pg.Client).end()
  }
}

/** Whether a new connection gets an answer, be it a refusal. */
async function answers(config: pg.ClientConfig): Promise<boolean> {
  const client = new pg.Client({ ...config, query_timeout: config.connectionTimeoutMillis })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('SELECT 1')
    return true
  } catch (error) {
    return (error as { severity?: unknown }).severity !== undefined
  } finally {
    void client.end()
  }
}

// A replica answers reads, from a past of its own.
function refuseReplica(client: pg.PoolClient, done: (error?: Error) => void): void {
  client.query<{ is_replica: boolean }>('SELECT pg_is_in_recovery() AS is_replica').then(
    ({ rows }) => done(rows[0]?.is_replica ? new Error('The server is a replica.') : undefined),
    (error: Error) => done(error),
  )
}
