import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram } from '../../src/backup/postgresql/programs.js'
import { parseSettings, type Settings } from '../../src/config/settings.js'
import type { DatabaseName } from '../support/databases.js'
import { sharedPostgres, queryPostgres } from '../support/postgres.js'

/** The settings of a server on a database, with backups in a folder. */
export function settingsOf(url: string, folder: string, environment: Record<string, string> = {}): Settings {
  return parseSettings({ DATABASE_URL: url, BACKUP_DIRECTORY: join(folder, 'backups'), ...environment }, false)
}

/** The folder of the backups, there already. */
export function backupsIn(folder: string): string {
  const path = join(folder, 'backups')
  mkdirSync(path, { recursive: true })
  return path
}

/** Why backups of a kind of database cannot be tried here, which is said, too; undefined when they can. */
export async function missingFor(kind: DatabaseName): Promise<string | undefined> {
  if (kind === 'SQLite') return undefined
  const { adminUrl } = await sharedPostgres()
  const [row] = await queryPostgres(adminUrl, 'SHOW server_version')
  try {
    for (const name of ['pg_dump', 'pg_restore'] as const) {
      await findProgram(name, parseInt(String(row?.['server_version']), 10))
    }
    return undefined
  } catch (error) {
    const { message } = error as Error
    process.stderr.write(`SKIPPED, backups of PostgreSQL: ${message}\n`)
    return message
  }
}
