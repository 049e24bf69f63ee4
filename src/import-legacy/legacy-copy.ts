import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { LegacyFileError } from './legacy-file.error.js'

/** What belongs to an SQLite database: the file, what its WAL holds besides, and a rollback journal that a crash left. */
const PARTS = ['', '-wal', '-journal']
const QUIET_ATTEMPTS = 5
const BUSY_TIMEOUT_MS = 5_000
const CHUNK_BYTES = 1_048_576

/** A private copy of a database, in a temporary folder of its own that nobody else may look into. */
export interface DatabaseCopy {
  readonly file: string
  /** Removes the folder; a connection that is open on the copy goes on reading it. */
  remove(): void
}

/**
 * Copies a database with its WAL as it is at one instant. The files are copied and then compared with their copies: if
 * none has changed, then there was an instant (after the last was copied, before the first was compared) at which all
 * were what the copies are, and a database at an instant is what SQLite recovers after a crash. SQLite itself does not
 * open the original: even a reader would leave a `-shm` beside it, or could not read in a folder that it may not write.
 *
 * Only while somebody keeps writing is the copy made through SQLite, whose writer has all these files there anyway.
 *
 * @param quietAttempts how often to copy and compare before that
 * @throws LegacyFileError
 */
export async function copyDatabase(file: string, quietAttempts = QUIET_ATTEMPTS): Promise<DatabaseCopy> {
  assertReadable(file)
  const folder = mkdtempSync(join(tmpdir(), 'gator-import-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  const copy = join(folder, basename(file))
  try {
    for (let attempt = 0; attempt < quietAttempts; attempt++) {
      const parts = copyParts(file, copy)
      if (parts.every((part) => isSame(file + part, copy + part)) && sameParts(parts, partsOf(file))) {
        return { file: copy, remove }
      }
      for (const part of parts) rmSync(copy + part)
    }
    await backUp(file, copy)
    return { file: copy, remove }
  } catch (error) {
    remove()
    throw new LegacyFileError(`${file} cannot be copied to ${tmpdir()} to be read there: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

function assertReadable(file: string): void {
  const found = statSync(file, { throwIfNoEntry: false })
  if (!found) throw new LegacyFileError(`${file} is not there.`)
  if (!found.isFile()) throw new LegacyFileError(`${file} is not a file.`)
}

function partsOf(file: string): string[] {
  return PARTS.filter((part) => existsSync(file + part))
}

function sameParts(one: readonly string[], other: readonly string[]): boolean {
  return one.join() === other.join()
}

function copyParts(file: string, copy: string): string[] {
  return partsOf(file).filter((part) => {
    try {
      copyFileSync(file + part, copy + part)
      // A copy has the mode of the original, which may be one that its owner cannot write to; SQLite recovers by writing.
      chmodSync(copy + part, 0o600)
      return true
    } catch (error) {
      // Its owner has just tidied it away; the comparison of the parts sees that.
      if (part !== '' && isMissing(error)) return false
      throw error
    }
  })
}

function isSame(file: string, copy: string): boolean {
  const opened: number[] = []
  try {
    for (const path of [file, copy]) opened.push(openSync(path, 'r'))
    const [one = -1, other = -1] = opened
    const [chunk, otherChunk] = [Buffer.allocUnsafe(CHUNK_BYTES), Buffer.allocUnsafe(CHUNK_BYTES)]
    for (;;) {
      const length = readSync(one, chunk)
      const otherLength = readSync(other, otherChunk)
      if (!chunk.subarray(0, length).equals(otherChunk.subarray(0, otherLength))) return false
      if (length === 0) return true
    }
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  } finally {
    opened.forEach(closeSync)
  }
}

async function backUp(file: string, copy: string): Promise<void> {
  const database = new BetterSqlite3(file, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS })
  try {
    // Within a transaction: the backup would begin again at each commit of the writer, and might never end.
    database.exec('BEGIN')
    database.prepare('SELECT count(*) FROM sqlite_master').get()
    await database.backup(copy)
  } finally {
    database.close()
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
