import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { syncPath } from './durable.js'
import { errorCodeOf } from './error-code.js'
import { type Manifest, manifestPathOf, readManifest } from './manifest.js'
import { backupPathOf, isBackupName, WORK_PREFIX, WORK_SUFFIX } from './names.js'

/** A backup: its file's name in the folder, where it lies, and what its manifest says. */
export interface Backup {
  readonly name: string
  readonly file: string
  readonly manifest: Manifest
}

/** The backups of a folder, newest first. What has no manifest, or no name of ours, is none. */
export function listBackups(folder: string): Backup[] {
  return namesIn(folder)
    .filter(isBackupName)
    .sort()
    .reverse()
    .flatMap((name) => {
      const manifest = manifestIn(folder, name)
      return manifest ? [{ name, file: join(folder, name), manifest }] : []
    })
}

/** Those of one database, newest first; see `databaseNameOf`. */
export function backupsOf(folder: string, database: string): Backup[] {
  return listBackups(folder).filter(({ manifest }) => manifest.database === database)
}

/**
 * Removes the oldest backups of a database beyond the number to keep, never the one that was just made: a clock may have gone back.
 * The manifest goes first, so that half of a backup never looks like one. Call it with the folder's lock.
 * @returns the names of those that were removed
 */
export function pruneBackups(folder: string, keep: number, justMade: Omit<Backup, 'file'>): string[] {
  const others = backupsOf(folder, justMade.manifest.database).filter(({ name }) => name !== justMade.name)
  const surplus = others.slice(keep - 1)
  for (const { file } of surplus) {
    rmSync(manifestPathOf(file))
    syncPath(folder)
    rmSync(file)
  }
  return surplus.map(({ name }) => name)
}

/**
 * Removes what runs that have died left in a folder: their work files, and a file that one of them had given its final
 * name, but no manifest. Such a file is known by being the same file as the work file; no other is touched. Call it with
 * the folder's lock: then no run is alive.
 */
export function removeLeftovers(folder: string): void {
  for (const name of namesIn(folder)) {
    if (name.startsWith(WORK_PREFIX) && name.includes(WORK_SUFFIX)) removeWork(folder, join(folder, name))
  }
}

/** Removes a work file, and the file without a manifest that it has become, if it has. */
export function removeWork(folder: string, work: string): void {
  const { ino, nlink = 0 } = statSync(work, { throwIfNoEntry: false }) ?? {}
  if (nlink > 1) {
    for (const file of namesIn(folder).map((name) => join(folder, name))) {
      const isSame = file !== work && statSync(file, { throwIfNoEntry: false })?.ino === ino
      if (isSame && !statSync(manifestPathOf(file), { throwIfNoEntry: false })) rmSync(file)
    }
  }
  rmSync(work, { force: true })
}

function manifestIn(folder: string, name: string): Manifest | null {
  try {
    return readManifest(backupPathOf(folder, name))
  } catch {
    // Damaged, or just removed: not a backup.
    return null
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return []
    throw error
  }
}
