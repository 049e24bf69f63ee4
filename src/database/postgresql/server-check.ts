import pg from 'pg'
import { clientConfigOf, isPooled } from './connection-config.js'

/** What a PostgreSQL server permits this role, and what it does with a COMMIT. */
interface ServerFacts {
  /** Connections that are not kept for superusers, or the limit of the role or of the database where it is lower. */
  readonly connections: number
  readonly synchronous_commit: string
  readonly fsync: string
  readonly full_page_writes: string
}

export interface ServerCheck {
  /** Why the server must not be used so; undefined when it may. */
  readonly refusal: string | undefined
  readonly warnings: readonly string[]
}

const CONNECT_TIMEOUT_MS = 5_000
/** Of each worker, beside its pool: one that follows the API keys, and one that listens while somebody follows the changes. */
const OF_THEIR_OWN = 2
// A limit of -1 is none. Superusers may go beyond all but the first, which is no reason to plan for it.
const FACTS = `
  SELECT LEAST(
           current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
             - COALESCE(current_setting('reserved_connections', true), '0')::int,
           NULLIF((SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user), -1),
           NULLIF((SELECT datconnlimit FROM pg_database WHERE datname = current_database()), -1)
         ) AS connections,
         current_setting('synchronous_commit') AS synchronous_commit,
         current_setting('fsync') AS fsync,
         current_setting('full_page_writes') AS full_page_writes`

/**
 * Compares what all workers together may open with what the server permits, and looks for settings under which a commit
 * that was acknowledged does not survive a crash. Behind a pooler the number of connections is the pooler's to bound.
 * @throws the driver's error when the server cannot be asked
 */
export async function checkServer(url: string, workers: number, poolSize: number): Promise<ServerCheck> {
  const facts = await ask(url)
  // A reload has one worker more for a moment.
  const wanted = (workers > 1 ? workers + 1 : 1) * (poolSize + OF_THEIR_OWN)
  const isTooMuch = !isPooled(url) && wanted > facts.connections
  return {
    refusal: isTooMuch
      ? `${workers} WORKERS with a DATABASE_POOL_SIZE of ${poolSize} may open ${wanted} connections (two of each worker ` +
        `are for keys and notifications, and a reload has one more worker), and the PostgreSQL server permits ${facts.connections}: lower one of the two, raise max_connections, or put a pooler in between.`
      : undefined,
    warnings: (['synchronous_commit', 'fsync', 'full_page_writes'] as const)
      .filter((name) => facts[name] === 'off')
      .map((name) => `PostgreSQL has ${name} = off: an acknowledged write may be lost when the server crashes`),
  }
}

async function ask(url: string): Promise<ServerFacts> {
  const client = new pg.Client({ ...clientConfigOf(url), connectionTimeoutMillis: CONNECT_TIMEOUT_MS })
  // A connection that breaks while nothing is asked is noticed by the next question.
  client.on('error', () => undefined)
  await client.connect()
  try {
    const { rows } = await client.query<ServerFacts>(FACTS)
    if (!rows[0]) throw new Error('The server did not answer what it permits.')
    return rows[0]
  } finally {
    await client.end()
  }
}
