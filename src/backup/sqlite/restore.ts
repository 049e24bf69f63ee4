import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { openBetterSqlite3, reading } from '../../database/sqlite/driver.js'
import { appliedMigrationsOf } from '../../database/sqlite/sqlite-migration-store.js'
import { BackupError } from '../backup-errors.js'
import { assertContent, assertHash, assertSize } from '../check-backup.js'
import { syncPath } from '../durable.js'
import { lockFolder } from '../folder-lock.js'
import { removeLeftovers } from '../folder.js'
import type { BackupProgress } from '../messages.js'
import { newWorkFiles } from '../names.js'
import { pendingIn, type RestorableSettings, type Restored, type RestoreSource } from '../restorable.js'
import { CHANGE_FEED } from '../../personas/changes/change-epoch.js'
import { inspectFile, tablesOf } from './inspect.js'
import { assertUnused, replaceDatabase } from './replace.js'

type OnProgress = (progress: BackupProgress) => void

/** Restores into the file that the settings name: what is checked is the copy that takes its place. */
export async function restoreSqlite(
  { database: { target } }: RestorableSettings,
  source: RestoreSource,
  onProgress: OnProgress,
): Promise<Restored> {
  if (target.provider !== 'sqlite') throw new TypeError('The settings name no SQLite file.')
  const folder = dirname(target.file)
  mkdirSync(folder, { recursive: true })
  const unlock = lockFolder(folder)
  const { data: copy } = newWorkFiles(folder)
  try {
    removeLeftovers(folder)
    assertUnused(target.file)
    assertClosed(source.file)
    await copyFile(source, copy, onProgress)
    onProgress({ phase: 'checking', done: 0, total: 1 })
    const pending = check(source, copy)
    onProgress({ phase: 'checking', done: 1, total: 1 })
    forgetEpoch(copy)
    giveOwnerOf(target.file, copy)
    syncPath(copy)
    return { replaced: replaceDatabase(target.file, copy), pending }
  } finally {
    for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${copy}${end}`, { force: true })
    unlock()
  }
}

/** Copies, and compares the copy with the manifest where there is one. */
async function copyFile({ file, manifest }: RestoreSource, copy: string, onProgress: OnProgress): Promise<void> {
  if (manifest) assertSize(file, manifest)
  const total = statSync(file).size
  const hash = createHash('sha256')
  let done = 0
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      hash.update(chunk)
      onProgress({ phase: 'copying', done: (done += chunk.length), total })
      next(null, chunk)
    },
  })
  await pipeline(createReadStream(file), hashing, createWriteStream(copy, { flags: 'wx', mode: 0o600 }))
  if (manifest) assertHash(file, manifest, hash.digest('hex'))
}

// The restored history gives out numbers again that the replaced one gave to other changes: it gets another epoch, as every
// database that has none. Whoever follows it is to notice.
function forgetEpoch(copy: string): void {
  const driver = openBetterSqlite3(copy, { readonly: false, timeoutMs: 0 })
  try {
    if (tablesOf(driver).includes(CHANGE_FEED)) driver.exec(`DELETE FROM ${CHANGE_FEED}`)
  } finally {
    driver.close()
  }
}

/** @returns the migrations that the copy lacks */
function check({ file, manifest }: RestoreSource, copy: string): readonly string[] {
  try {
    leaveWal(copy)
    const content = inspectFile(copy)
    if (manifest) assertContent(file, manifest, content)
    return pendingIn('sqlite', reading(copy, appliedMigrationsOf), file)
  } catch (error) {
    // It is the copy's damage because it is the file's.
    throw error instanceof BackupError ? new BackupError(error.message.replace(copy, file), { cause: error }) : error
  }
}

// A file without a manifest may be a database that was in WAL mode; read, it would leave a log beside it.
function leaveWal(copy: string): void {
  const driver = openBetterSqlite3(copy, { readonly: false, timeoutMs: 0 })
  try {
    driver.pragma('journal_mode = DELETE')
  } catch {
    // What is wrong with it is told by whoever looks closer.
  } finally {
    driver.close()
  }
}

// A copy of the file alone is not what the database holds: the newest writes are in the log beside it.
function assertClosed(file: string): void {
  const log = ['-wal', '-journal']
    .map((end) => `${file}${end}`)
    .find((path) => existsSync(path) && statSync(path).size > 0)
  if (log === undefined) return
  throw new BackupError(
    `${file} is a database in use, or was not closed in order: ${log} holds writes of its own. Make a backup of it.`,
  )
}

/** The same user as before must be able to write to it, whoever restores. */
function giveOwnerOf(target: string, copy: string): void {
  const old = statSync(target, { throwIfNoEntry: false })
  chmodSync(copy, (old?.mode ?? 0o600) & 0o777)
  if (process.getuid?.() !== 0) return
  const { uid, gid } = old ?? statSync(dirname(target))
  chownSync(copy, uid, gid)
}
