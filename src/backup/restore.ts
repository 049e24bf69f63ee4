import { BackupError } from './backup-errors.js'
import { type Manifest, readManifest } from './manifest.js'
import type { BackupProgress } from './messages.js'
import { restorePostgresql } from './postgresql/restore.js'
import type { RestorableSettings } from './restorable.js'
import { restoreSqlite } from './sqlite/restore.js'

export interface RestoreOptions {
  /** Told how far it has come. */
  readonly onProgress?: (progress: BackupProgress) => void
}

export interface RestoreResult {
  /** Where the replaced database is kept: a file; null when there was none. */
  readonly replaced: string | null
  /** Migrations of this version that the restored database does not have: the next start applies them. */
  readonly pending: readonly string[]
  /** Whether there was a manifest to check the file against. */
  readonly hasManifest: boolean
}

/**
 * Puts a backup in the place of the database of the settings, which no server may be using. The file is checked first;
 * the replaced database is kept aside.
 * @throws BackupError when the file is damaged or of another database or of a newer schema, or a server runs; then the
 *   database is what it was
 */
export async function restoreBackup(
  settings: RestorableSettings,
  file: string,
  { onProgress = () => undefined }: RestoreOptions = {},
): Promise<RestoreResult> {
  const manifest = readManifest(file)
  const { provider } = settings.database.target
  if (manifest && manifest.dialect !== provider) throw otherDialect(file, manifest)
  const restore = provider === 'sqlite' ? restoreSqlite : restorePostgresql
  const { replaced, pending } = await restore(settings, { file, manifest }, onProgress)
  return { replaced, pending, hasManifest: manifest !== null }
}

function otherDialect(file: string, { dialect }: Manifest): BackupError {
  return new BackupError(
    `${file} is a backup of ${dialect}, and DATABASE_URL names a database of the other kind: restore it to one of its own ` +
      'kind, and move that with "gator transfer".',
  )
}
