import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { environmentWith } from '../../config/environment.js'
import type { DatabaseSettings } from '../../config/settings.js'
import { clientConfigOf, isPooled } from '../../database/postgresql/connection-config.js'
import { BackupError } from '../backup-errors.js'

/** How this command's own connections call themselves, so that they are not taken for a server's. */
const APPLICATION_NAME = 'gator backup'
/** What libpq takes from a URL's parameters, by the names of its environment. */
const PARAMETERS = {
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  options: 'PGOPTIONS',
} as const

/**
 * The server itself: a dump needs one session from its beginning to its end.
 * @throws BackupError when the settings name a pooler alone
 */
export function directUrlOf({ target, directUrl }: DatabaseSettings): string {
  const url = directUrl ?? target.url
  if (!isPooled(url)) return url
  throw new BackupError('Backups need the PostgreSQL server itself, not a pooler: set DATABASE_DIRECT_URL.')
}

/** How the driver connects on behalf of a backup. */
export function ownConfigOf(url: string) {
  return { ...clientConfigOf(url), application_name: APPLICATION_NAME }
}

/**
 * Runs one of PostgreSQL's programs, with the connection in its environment: an argument could be read by every user of
 * the machine.
 * @param consume takes what it writes while it runs
 * @throws BackupError with what it said when it fails
 */
export async function runProgram<T>(
  program: string,
  words: readonly string[],
  url: string | null,
  consume: (output: Readable) => Promise<T>,
): Promise<T> {
  const env = environmentWith({ ...(url !== null && libpqEnvironmentOf(url)), LC_ALL: 'C' })
  const child = spawn(program, words, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const hasClosed = once(child, 'close').catch(() => undefined)
  const said = text(child.stderr)
  try {
    const [result] = await Promise.all([consume(child.stdout), said, hasClosed])
    if (child.exitCode !== 0)
      throw new Error((await said).trim() || `it ended with ${child.signalCode ?? child.exitCode}`)
    return result
  } catch (error) {
    child.kill()
    throw new BackupError(`${program} failed: ${(error as Error).message}`, { cause: error })
  }
}

/** A connection as libpq's environment describes it (https://www.postgresql.org/docs/current/libpq-envars.html). */
export function libpqEnvironmentOf(url: string): Record<string, string> {
  const { host, port, user, password, database } = clientConfigOf(url)
  const parameters = new URL(url).searchParams
  const given = {
    PGHOST: host,
    PGPORT: port,
    PGUSER: user,
    PGPASSWORD: typeof password === 'string' ? password : undefined,
    PGDATABASE: database,
    ...Object.fromEntries(Object.entries(PARAMETERS).map(([name, variable]) => [variable, parameters.get(name)])),
  }
  const present = Object.entries(given).filter(([, value]) => value !== undefined && value !== null && value !== '')
  return { ...Object.fromEntries(present.map(([name, value]) => [name, String(value)])), PGAPPNAME: APPLICATION_NAME }
}
