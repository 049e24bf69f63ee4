import { parse, toClientConfig } from 'pg-connection-string'
import type pg from 'pg'

/** What a connection is for, and its limits in milliseconds. */
export interface ConnectionLimits {
  /** Whether the server lets it read alone. */
  readonly isReadOnly: boolean
  /** How long it may take to be connected, or to get a connection out of the pool. */
  readonly connectTimeoutMs: number
  /** How long the server lets a statement run, its waiting for locks included. */
  readonly statementTimeoutMs: number
  /** How long the server lets a statement wait for a lock. */
  readonly lockTimeoutMs: number
  /** How long the server lets a transaction stay without a statement. */
  readonly idleTimeoutMs: number
}

const APPLICATION_NAME = 'gator-personas'
// Behind the server's own limit: whoever gives up first does not know what became of the statement.
const ANSWER_MARGIN_MS = 1_000
const READ_ONLY = '-c default_transaction_read_only=on'
const KEEP_ALIVE_AFTER_MS = 5_000

/**
 * Whether the URL says, as Prisma's users write it, that a PgBouncer in transaction mode answers there. A session is
 * nobody's own then: it has no settings and no locks that outlast a transaction.
 */
export function isPooled(url: string): boolean {
  return new URL(url).searchParams.get('pgbouncer') === 'true'
}

/**
 * What a driver needs to connect to a PostgreSQL URL. `sslmode`, `sslrootcert`, `sslcert` and `sslkey` mean what libpq
 * means by them (https://www.postgresql.org/docs/current/libpq-ssl.html): `require` encrypts, and checks the server's
 * certificate only when a CA is named; `verify-ca` and `verify-full` always check.
 * @throws Error when a certificate file cannot be read
 */
export function clientConfigOf(url: string): pg.ClientConfig {
  const parsed = parse(url, { useLibpqCompat: true })
  // Ours to read, and nothing that a server knows.
  delete parsed['pgbouncer']
  return {
    application_name: APPLICATION_NAME,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    ...toClientConfig(parsed),
  }
}

/** The same with limits. A pooler takes no settings of a session: there the server's role must have them. */
export function limitedConfigOf(url: string, limits: ConnectionLimits): pg.ClientConfig {
  const { isReadOnly, connectTimeoutMs, statementTimeoutMs, lockTimeoutMs, idleTimeoutMs } = limits
  const config = clientConfigOf(url)
  return {
    ...config,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: statementTimeoutMs + ANSWER_MARGIN_MS,
    ...(!isPooled(url) && {
      statement_timeout: statementTimeoutMs,
      lock_timeout: lockTimeoutMs,
      idle_in_transaction_session_timeout: idleTimeoutMs,
      ...(isReadOnly && { options: [config.options, READ_ONLY].filter(Boolean).join(' ') }),
    }),
  }
}
