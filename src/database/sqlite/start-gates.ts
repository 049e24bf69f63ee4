import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { openBetterSqlite3 } from './driver.js'
import { type FileSystem, fileSystemOf } from './file-system.js'
import { freeBytes } from './free-space.js'
import { lockFault } from './lock-probe.js'
import { assertSafeSqliteVersion, sqliteVersion } from './version-gate.js'

export interface StartGateOptions {
  readonly file: string
  readonly minFreeDiskBytes: number
  readonly allowUnsafeFileSystem: boolean
  /** Looks up a file system; another way in tests. */
  readonly lookUp?: (folder: string) => FileSystem
}

/** The database must not be served from where it would be; the message says why, and what to do. */
export class StartRefusedError extends Error {
  override readonly name = 'StartRefusedError'
}

/**
 * What must be so before anything is written: a version of SQLite that is safe, a local file system, room.
 * @returns what endangers the data all the same
 * @throws UnsafeSqliteVersionError, StartRefusedError
 */
export function passStartGates(options: StartGateOptions): string[] {
  const { file, minFreeDiskBytes, allowUnsafeFileSystem, lookUp = fileSystemOf } = options
  const folder = dirname(file)
  assertSafeVersion()
  mkdirSync(folder, { recursive: true })
  const { name, verdict, reason } = lookUp(folder)
  if (verdict === 'refuse' && !allowUnsafeFileSystem) {
    throw new StartRefusedError(
      `The database would be on ${name}: ${reason}. Put DATABASE_URL on a local disk, or set ` +
        'ALLOW_UNSAFE_FILE_SYSTEM=true if you know better.',
    )
  }
  const free = freeBytes(folder)
  if (free < minFreeDiskBytes) {
    throw new StartRefusedError(
      `There are ${free} bytes left on the disk of ${folder}, and DISK_FREE_MIN_BYTES asks for ${minFreeDiskBytes}: make room.`,
    )
  }
  return verdict === 'ok' ? [] : [`The database is on ${name}: ${reason}.`]
}

/** What the name of the probe's database has after the file's: then comes the process' id. */
export const LOCK_PROBE = '-lock-probe-'

export interface LockGateOptions {
  readonly file: string
  /** Removes the files of a database that nobody has open. */
  readonly remove: (file: string) => void
  /** Tries locks out; another way in tests. */
  readonly tryLocks?: typeof lockFault
}

/**
 * Tries out, with two processes, whether locks keep others out of a database beside the one that is to be served.
 * @throws StartRefusedError when they do not
 */
export async function passLockGate({ file, remove, tryLocks = lockFault }: LockGateOptions): Promise<void> {
  const scratch = `${file}${LOCK_PROBE}${process.pid}`
  try {
    const fault = await tryLocks(scratch)
    if (fault === undefined) return
    throw new StartRefusedError(`Locks do not work in ${dirname(file)}: ${fault}. Put DATABASE_URL on a local disk.`)
  } finally {
    remove(scratch)
  }
}

function assertSafeVersion(): void {
  const driver = openBetterSqlite3(':memory:', { readonly: false, timeoutMs: 0 })
  try {
    assertSafeSqliteVersion(sqliteVersion(driver))
  } finally {
    driver.close()
  }
}
