import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { compareHistory } from '../../database/migrations/migration-history.js'
import { PostgresqlMigrationStore } from '../../database/postgresql/postgresql-migration-store.js'
import { clientConfigOf } from '../../database/postgresql/connection-config.js'
import { BackupError } from '../backup-errors.js'
import { assertHash, assertSize } from '../check-backup.js'
import { sha256Of } from '../durable.js'
import { errorCodeOf } from '../error-code.js'
import type { BackupProgress } from '../messages.js'
import { pendingIn, type RestorableSettings, type Restored, type RestoreSource } from '../restorable.js'
import { takeBackup } from '../take-backup.js'
import { CHANGE_FEED } from '../../personas/changes/change-epoch.js'
import { checkDump, contentsWithoutRows, migrationsInDump } from './archive.js'
import { directUrlOf, ownConfigOf, runProgram } from './libpq.js'
import { findProgram } from './programs.js'

const CONNECT_TIMEOUT_MS = 5_000
const SERVER_APPLICATION = 'gator-personas'
/** The sessions of a server that has just been stopped are there for a moment more. */
const SESSIONS_END_WITHIN_MS = 2_000
const SESSIONS_POLL_MS = 50
const UNDEFINED_DATABASE = '3D000'

/** Restores into the database that the settings name, in one transaction; a backup of what it replaces is made first. */
export async function restorePostgresql(
  settings: RestorableSettings,
  { file, manifest }: RestoreSource,
  onProgress: (progress: BackupProgress) => void,
): Promise<Restored> {
  const url = directUrlOf(settings.database)
  await assertServerFree(settings.database.target.url, url)
  if (manifest) {
    const total = manifest.bytes
    assertSize(file, manifest)
    assertHash(file, manifest, await sha256Of(file, (done) => onProgress({ phase: 'hashing', done, total })))
  }
  const oldest = manifest ? parseInt(manifest.databaseVersion, 10) : 0
  await checkDump(file, oldest)
  const applied = await migrationsInDump(file)
  const pending = pendingIn('postgresql', applied, file)
  const present = await new PostgresqlMigrationStore(url).readApplied()
  assertNothingLeft(present, applied)
  const kept = present.length > 0 ? await takeBackup(settings, { keepsAll: true, onProgress }) : null
  await assertServerFree(settings.database.target.url, url)
  await load(file, url, oldest)
  return { replaced: kept?.file ?? null, pending }
}

/**
 * All of an archive but for the epoch, in one transaction. The restored history gives out numbers again that the replaced one
 * gave to other changes: it gets another epoch, as every database that has none. Whoever follows it is to notice.
 */
async function load(file: string, url: string, oldest: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'gator-restore-'))
  const list = join(folder, 'contents')
  try {
    writeFileSync(list, await contentsWithoutRows(file, CHANGE_FEED, oldest))
    const words = ['--clean', '--if-exists', '--single-transaction', '--exit-on-error', '--no-owner', '--no-password']
    const { database = '' } = clientConfigOf(url)
    const where = [`--use-list=${list}`, `--dbname=${database}`]
    await runProgram(await findProgram('pg_restore', oldest), [...words, ...where, file], url, text)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

type History = Parameters<typeof compareHistory>[1]

// What the backup does not have, a restore does not remove: the tables of a newer schema would stay, and be in the way
// of the migration that makes them.
function assertNothingLeft(present: History, restored: History): void {
  const { state, names } = compareHistory(restored, present)
  if (state === 'current' || state === 'behind') return
  throw new BackupError(
    `The database has migrations that the backup does not have (${names.join(', ')}): make an empty database, and ` +
      'restore into that one.',
  )
}

/** @throws BackupError when a server has sessions on the database, or when there is no such database */
async function assertServerFree(serverUrl: string, url: string): Promise<void> {
  // A URL may give the server's sessions another name.
  const names = [SERVER_APPLICATION, clientConfigOf(serverUrl).application_name]
  const client = new pg.Client({ ...ownConfigOf(url), connectionTimeoutMillis: CONNECT_TIMEOUT_MS })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const deadline = performance.now() + SESSIONS_END_WITHIN_MS
    let sessions = await sessionsOf(client, names)
    while (sessions > 0 && performance.now() < deadline) {
      await delay(SESSIONS_POLL_MS)
      sessions = await sessionsOf(client, names)
    }
    if (sessions === 0) return
    throw new BackupError(
      `The database is in use (${sessions} sessions of a server): stop the servers, then try again.`,
    )
  } catch (error) {
    if (errorCodeOf(error) !== UNDEFINED_DATABASE) throw error
    throw new BackupError('There is no such database: create it (createdb), then try again.', { cause: error })
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function sessionsOf(client: pg.Client, names: readonly (string | undefined)[]): Promise<number> {
  const { rows } = await client.query<{ sessions: number }>(
    `SELECT count(*)::int AS sessions FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = ANY($1)`,
    [names],
  )
  return rows[0]?.sessions ?? 0
}
