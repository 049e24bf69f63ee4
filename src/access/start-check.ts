import { Client } from 'pg'
import type { Logger } from 'pino'
import { type DatabaseSettings, isLoopback, type Settings } from '../config/settings.js'
import { clientConfigOf } from '../database/postgresql/connection-config.js'
import { reading } from '../database/sqlite/driver.js'

const CONNECT_TIMEOUT_MS = 5_000
const BUSY_TIMEOUT_MS = 5_000
const goodKeys = (isInTheFuture: string) =>
  `SELECT count(*) AS good FROM api_keys WHERE revoked_at IS NULL AND (expires_at IS NULL OR ${isInTheFuture})`
const ON_SQLITE = goodKeys(`julianday(expires_at) > julianday('now')`)
const ON_POSTGRESQL = goodKeys(`expires_at > now() AT TIME ZONE 'UTC'`)

/**
 * Looks once, before anyone serves, whether an address that others reach has keys to be guarded with. That those who have a
 * key may ask without end is logged. Needs none of Prisma's clients: a primary does it.
 * @returns why there is no start, or undefined
 */
export async function refusalWithoutKeys(settings: Settings, logger: Logger): Promise<string | undefined> {
  const { server, access, database } = settings
  const needsKeys = !isLoopback(server.host) && !access.allowsUnauthenticated
  const isLimited = access.rateLimitPerMinute > 0
  if (!needsKeys && isLimited) return undefined
  // A warning is worth no start: whoever needs no keys is not stopped by a database that does not answer here.
  const hasKeys = (await (needsKeys ? goodKeysIn(database) : goodKeysIn(database).catch(() => 0))) > 0
  if (hasKeys && !isLimited) logger.warn('there are API keys and no rate limit: RATE_LIMIT_PER_MINUTE sets one')
  if (hasKeys || !needsKeys) return undefined
  return (
    'HOST is not loopback, and there is no API key: make one with "gator keys create", or set ' +
    'ALLOW_UNAUTHENTICATED=true to serve everybody who reaches it.'
  )
}

async function goodKeysIn({ target }: DatabaseSettings): Promise<number> {
  const good =
    target.provider === 'sqlite'
      ? reading(target.file, (driver) => driver.prepare(ON_SQLITE).pluck().get(), BUSY_TIMEOUT_MS)
      : await askPostgresql(target.url)
  return Number(good)
}

async function askPostgresql(url: string): Promise<unknown> {
  const client = new Client({ ...clientConfigOf(url), connectionTimeoutMillis: CONNECT_TIMEOUT_MS })
  // A connection that breaks while nothing is asked is noticed by the question.
  client.on('error', () => undefined)
  await client.connect()
  try {
    return (await client.query<{ good: string }>(ON_POSTGRESQL)).rows[0]?.good
  } finally {
    await client.end()
  }
}
