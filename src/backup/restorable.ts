import type { Settings } from '../config/settings.js'
import { readMigrationFiles } from '../database/migrations/migration-files.js'
import { type AppliedMigration, compareHistory } from '../database/migrations/migration-history.js'
import { BackupError } from './backup-errors.js'
import type { Manifest } from './manifest.js'

export type RestorableSettings = Pick<Settings, 'database' | 'backup'>

/** A file to restore, and its manifest, if it has one. */
export interface RestoreSource {
  readonly file: string
  readonly manifest: Manifest | null
}

/** What both dialects answer: where the replaced database is kept, and which migrations the restored one lacks. */
export interface Restored {
  readonly replaced: string | null
  readonly pending: readonly string[]
}

/**
 * The migrations that a backup lacks.
 * @throws BackupError when it has some that this version of the code does not know, has otherwise, or that failed
 */
export function pendingIn(
  provider: Manifest['dialect'],
  applied: readonly AppliedMigration[],
  file: string,
): readonly string[] {
  const { state, names } = compareHistory(readMigrationFiles(provider), applied)
  const list = names.join(', ')
  if (state === 'ahead')
    throw new BackupError(`${file} has a newer schema (${list}): restore it with the version of gator that made it.`)
  if (state === 'edited')
    throw new BackupError(`${file} has another schema: ${list} is not what this version of gator has under that name.`)
  if (state === 'failed') throw new BackupError(`${file} has a migration that failed half-way (${list}).`)
  if (applied.length === 0) throw new BackupError(`${file} is not a database of gator's: it has no migrations.`)
  return names
}
