import { chmodSync, lstatSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { Settings } from '../config/settings.js'
import { BackupError } from './backup-errors.js'
import { removeWork } from './folder.js'
import { type Manifest, manifestPathOf, readManifest } from './manifest.js'
import type { JobResults } from './messages.js'
import { backupPathOf, isBackupName, newBackupName, newWorkFiles } from './names.js'
import { type JobOptions, runJob } from './run-job.js'

export interface BackupOptions extends JobOptions {
  /** Where to put it, instead of a name of its own in the folder of backups; no backup is removed then. */
  readonly file?: string | undefined
  /** Keep all others, however many there are. */
  readonly keepsAll?: boolean
}

/** A finished backup, and the names of those that were removed because there were too many. */
export type FinishedBackup = JobResults['backup']

/**
 * Makes a backup of the database while it is in service, in a process of its own. It resolves when the backup has been
 * checked and is on the disk under its name: every write that was acknowledged before the call is in it.
 * @throws BackupBusyError when another one is being made in the same folder; BackupAbortedError when the signal came;
 *   BackupError when it cannot be made. Nothing is left of it then.
 */
export async function takeBackup(
  settings: Pick<Settings, 'database' | 'backup'>,
  { file: chosen, keepsAll = false, ...options }: BackupOptions = {},
): Promise<FinishedBackup> {
  const { database, backup } = settings
  const file =
    chosen === undefined
      ? join(backup.directory, newBackupName(database.target.provider, new Date()))
      : assertNew(resolve(chosen))
  const folder = dirname(file)
  if (chosen === undefined) makeBackupFolder(folder)
  const work = newWorkFiles(folder)
  const keep = chosen === undefined && !keepsAll ? backup.keep : null
  try {
    return await runJob<'backup'>({ kind: 'backup', settings: { database }, file, work, keep }, options, work.data)
  } catch (error) {
    // The process may have been ended when all was done, and only its answer was missing.
    const manifest = isOurs(file, work.data) ? readManifest(file) : null
    if (manifest) return { name: basename(file), file, manifest, removed: [] }
    throw error
  } finally {
    removeWork(folder, work.data)
    for (const path of [`${work.data}-journal`, work.manifest]) rmSync(path, { force: true })
  }
}

/**
 * Checks a backup again, in a process of its own.
 * @throws BackupError that says what is wrong with it
 */
export function verifyBackup(file: string, options: JobOptions = {}): Promise<Manifest> {
  return runJob<'verify'>({ kind: 'verify', file: resolve(file) }, options)
}

/** What a person may call a backup: a path, or the name of one in the folder of backups. */
export function backupNamed(word: string, folder: string): string {
  const path = resolve(word)
  if (statSync(path, { throwIfNoEntry: false })?.isFile()) return path
  if (isBackupName(word)) return backupPathOf(folder, word)
  throw new BackupError(`There is no file ${path}, and no backup of that name in ${folder}.`)
}

/** Makes the folder of the backups, which is nobody else's to read. */
function makeBackupFolder(folder: string): void {
  try {
    const made = mkdirSync(folder, { recursive: true })
    if (made !== undefined) chmodSync(folder, 0o700)
  } catch (error) {
    throw new BackupError(`The folder of the backups cannot be made: ${(error as Error).message}.`, { cause: error })
  }
}

/** Only a file that this run has linked is the same one as its work file. */
function isOurs(file: string, work: string): boolean {
  const [made, data] = [file, work].map((path) => lstatSync(path, { throwIfNoEntry: false }))
  return made !== undefined && (data === undefined || data.ino === made.ino)
}

function assertNew(file: string): string {
  const folder = dirname(file)
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new BackupError(`There is no folder ${folder}.`)
  const taken = [file, manifestPathOf(file)].find((path) => lstatSync(path, { throwIfNoEntry: false }))
  if (taken !== undefined) throw new BackupError(`${taken} is there already, and is not overwritten.`)
  return file
}
