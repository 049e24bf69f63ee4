import { userInfo } from 'node:os'
import { parse as parseUrl, toClientConfig } from 'pg-connection-string'
import { invalidUrl } from './errors.mjs'

/** Prisma's own default for `connect_timeout`. */
const CONNECT_TIMEOUT_S = 5
const MS_PER_S = 1_000

const DEFAULT_SCHEMA = 'public'
const DEFAULT_PORT = 5432

/**
 * Reads a PostgreSQL URL, Prisma's parameters `schema` and `connect_timeout` included. The answer holds discrete fields:
 * with a connection string, node-postgres would let its database win over the shadow database's name.
 * @param {string | undefined} url
 * @returns {{ schema: string, config: import('pg').ClientConfig & { database: string } }}
 */
export function readConnection(url) {
  const parsed = parse(url)
  const user = parsed.user || userInfo().username
  const schema = parsed.schema ?? DEFAULT_SCHEMA
  const config = {
    user,
    password: parsed.password,
    host: parsed.host || 'localhost',
    port: parsed.port ?? DEFAULT_PORT,
    database: parsed.database || user,
    ssl: parsed.ssl,
    application_name: parsed.application_name ?? 'prisma-schema-engine',
    options: [parsed.options, `-c search_path=${escapeOption(schema)}`].filter(Boolean).join(' '),
    connectionTimeoutMillis: Number(parsed.connect_timeout ?? CONNECT_TIMEOUT_S) * MS_PER_S,
  }
  return { schema, config }
}

/**
 * Where a server is, for a message: `host:port`, or the folder of its socket.
 * @param {import('pg').ClientConfig} config
 */
export function locationOf({ host, port }) {
  return host.startsWith('/') ? host : `${host}:${port}`
}

function parse(url) {
  try {
    // libpq's meaning of sslmode, as the service has it.
    return toClientConfig(parseUrl(url, { useLibpqCompat: true }))
  } catch {
    // Without what the parser said: it may quote the URL.
    throw invalidUrl('It cannot be read as postgresql://user:password@host:port/database.')
  }
}

/** A schema's name as a quoted identifier in the server's command-line syntax, where a backslash escapes. */
function escapeOption(schema) {
  return `"${schema.replaceAll('"', '""')}"`.replace(/[\\ ]/g, '\\$&')
}
