import { renameSync, rmSync, statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { freeBytes } from '../database/sqlite/free-space.js'
import { packageInfo } from '../package-root.js'
import { linkNew, sha256Of, syncPath, writeNew } from './durable.js'
import { lockFolder } from './folder-lock.js'
import { pruneBackups, removeLeftovers } from './folder.js'
import { BackupError } from './backup-errors.js'
import { databaseNameOf, type Manifest, MANIFEST_FORMAT, manifestPathOf } from './manifest.js'
import type { BackupProgress, Job, JobResults } from './messages.js'
import { dumpDatabase } from './postgresql/dump.js'
import { copyDatabase } from './sqlite/copy.js'

type BackupJob = Extract<Job, { kind: 'backup' }>
type OnProgress = (progress: BackupProgress) => void

/**
 * Makes a backup, in a process of its own: it blocks. The work file gets its final name when it has been checked, hashed
 * and brought to the disk; the manifest comes last of all.
 * @throws BackupError when it cannot be made; then there is no file of the final name
 */
export async function writeBackup(job: BackupJob, onProgress: OnProgress): Promise<JobResults['backup']> {
  const { file, work, keep } = job
  const folder = dirname(file)
  const unlock = lockFolder(folder)
  try {
    removeLeftovers(folder)
    const manifest = await copyAndCheck(job, onProgress)
    writeNew(work.manifest, `${JSON.stringify(manifest, null, 2)}\n`, statSync(work.data).mode & 0o777)
    linkNew(work.data, file)
    renameSync(work.manifest, manifestPathOf(file))
    syncPath(folder)
    rmSync(work.data, { force: true })
    const removed = keep === null ? [] : pruneBackups(folder, keep, { name: basename(file), manifest })
    return { name: basename(file), file, manifest, removed }
  } finally {
    unlock()
  }
}

async function copyAndCheck({ settings, work }: BackupJob, onProgress: OnProgress): Promise<Manifest> {
  const startedAt = new Date().toISOString()
  const { target } = settings.database
  let total = 0
  const onStart = (bytes: number) => {
    // A dump is smaller than its database, nobody knows by how much.
    if (target.provider === 'sqlite') assertRoom(dirname(work.data), bytes + settings.database.minFreeDiskBytes)
    onProgress({ phase: 'copying', done: 0, total: (total = bytes) })
  }
  const onCopied = () => {
    onProgress({ phase: 'copying', done: total, total })
    onProgress({ phase: 'checking', done: 0, total: 1 })
  }
  const found =
    target.provider === 'sqlite'
      ? copyDatabase(target.file, work.data, onStart, onCopied)
      : await dumpDatabase(settings.database, work.data, onStart, onCopied)
  onProgress({ phase: 'checking', done: 1, total: 1 })
  const bytes = statSync(work.data).size
  const sha256 = await sha256Of(work.data, (done) => onProgress({ phase: 'hashing', done, total: bytes }))
  syncPath(work.data)
  return {
    format: MANIFEST_FORMAT,
    gatorVersion: packageInfo.version,
    dialect: target.provider,
    database: databaseNameOf(target),
    ...found,
    startedAt,
    finishedAt: new Date().toISOString(),
    bytes,
    sha256,
  }
}

// The database is often on the same disk, and must not be kept from writing.
function assertRoom(folder: string, bytes: number): void {
  const free = freeBytes(folder)
  if (free >= bytes) return
  throw new BackupError(
    `There are ${free} bytes left in ${folder}, and the copy may need ${bytes} with DISK_FREE_MIN_BYTES: make room.`,
  )
}
