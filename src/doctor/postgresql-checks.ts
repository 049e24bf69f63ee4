import pg from 'pg'
import { findProgram } from '../backup/postgresql/programs.js'
import { BackupError } from '../backup/backup-errors.js'
import type { Settings } from '../config/settings.js'
import { clientConfigOf, isPooled } from '../database/postgresql/connection-config.js'
import { checkServer } from '../database/postgresql/server-check.js'
import { type Check, green, type Outcome, red, yellow } from './check.js'

const CONNECT_TIMEOUT_MS = 5_000

/** What there is to look at in a PostgreSQL server. */
export function postgresqlChecks({ server, database }: Settings): Check[] {
  const { url } = database.target
  const directUrl = database.directUrl ?? url
  return [
    { about: 'server', run: () => serverState(url, server.workers, database.poolSize) },
    { about: 'server version', run: async () => green((await versionOf(url)).text) },
    { about: 'direct connection', run: () => directState(directUrl) },
    { about: 'pg_dump and pg_restore', run: () => programState(url) },
  ]
}

async function serverState(url: string, workers: number, poolSize: number): Promise<Outcome> {
  const { refusal, warnings } = await checkServer(url, workers, poolSize)
  if (refusal !== undefined) return red('it does not permit as many connections as the settings ask for', refusal)
  if (warnings.length > 0) return yellow(warnings.join('; '), 'Turn it on in postgresql.conf.')
  return green(`${workers} workers with ${poolSize} connections each fit; commits survive a crash`)
}

function directState(url: string): Outcome {
  if (!isPooled(url)) return green('there is one for migrations and backups')
  return yellow('a pooler only', 'Set DATABASE_DIRECT_URL: migrations and backups need the server itself.')
}

async function programState(url: string): Promise<Outcome> {
  const { major } = await versionOf(url)
  try {
    const paths = [await findProgram('pg_dump', major), await findProgram('pg_restore', major)]
    return green(paths.join(', '))
  } catch (error) {
    if (!(error instanceof BackupError)) throw error
    return yellow('no backup can be made from here', error.message)
  }
}

async function versionOf(url: string): Promise<{ readonly text: string; readonly major: number }> {
  const client = new pg.Client({ ...clientConfigOf(url), connectionTimeoutMillis: CONNECT_TIMEOUT_MS })
  client.on('error', () => undefined)
  await client.connect()
  try {
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version')
    const text = rows[0]?.server_version ?? ''
    return { text, major: parseInt(text, 10) }
  } finally {
    await client.end()
  }
}
