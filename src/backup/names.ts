import { randomBytes } from 'node:crypto'
import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseTarget } from '../config/database-url.js'
import { BackupNotFoundError } from './backup-errors.js'

const EXTENSIONS = { sqlite: 'db', postgresql: 'dump' } as const
const NAME = /^gator-\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{8}\.(db|dump)$/
const RANDOM_BYTES = 4

/** A name that no backup has: names in their order are backups in theirs. */
export function newBackupName(provider: DatabaseTarget['provider'], now: Date): string {
  const time = now.toISOString().replace(/[-:]/g, '')
  return `gator-${time}-${randomBytes(RANDOM_BYTES).toString('hex')}.${EXTENSIONS[provider]}`
}

export function isBackupName(name: string): boolean {
  return NAME.test(name)
}

/**
 * Where a backup of the folder lies. A name that is none of ours (a path, say) leads nowhere, nor does a link.
 * @throws BackupNotFoundError
 */
export function backupPathOf(folder: string, name: string): string {
  const path = join(folder, name)
  if (!isBackupName(name) || !lstatSync(path, { throwIfNoEntry: false })?.isFile()) throw new BackupNotFoundError(name)
  return path
}

/** Work files begin with this: no backup does. */
export const WORK_PREFIX = '.gator-'
export const WORK_SUFFIX = '.partial'

/** The work files of one run: `data` becomes the backup, `manifest` its manifest. */
export function newWorkFiles(folder: string): { readonly data: string; readonly manifest: string } {
  const run = join(folder, `${WORK_PREFIX}${randomBytes(RANDOM_BYTES).toString('hex')}`)
  return { data: `${run}${WORK_SUFFIX}`, manifest: `${run}-manifest${WORK_SUFFIX}` }
}
