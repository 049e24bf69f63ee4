import { createHash } from 'node:crypto'
import {
  closeSync,
  createReadStream,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { BackupError } from './backup-errors.js'
import { errorCodeOf } from './error-code.js'

/** Told how many bytes are done. */
export type OnBytes = (done: number) => void

/** Brings what was written to a file, or the names in a folder, to the disk. */
export function syncPath(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Writes a new file and brings it to the disk. */
export function writeNew(path: string, text: string, mode: number): void {
  writeFileSync(path, text, { flag: 'wx', mode, flush: true })
}

/**
 * Gives a file a second name that nobody had, at once and as a whole. On a file system without hard links it is renamed.
 * @throws BackupError when the name is taken
 */
export function linkNew(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch (error) {
    if (errorCodeOf(error) !== 'EEXIST' && statSync(to, { throwIfNoEntry: false }) === undefined) renameSync(from, to)
    else throw new BackupError(`${to} is there already, and is not overwritten.`, { cause: error })
  }
  syncPath(dirname(to))
}

/** The SHA-256 of a file, in hex. */
export async function sha256Of(path: string, onBytes: OnBytes = () => undefined): Promise<string> {
  const hash = createHash('sha256')
  let done = 0
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    hash.update(chunk)
    onBytes((done += chunk.length))
  }
  return hash.digest('hex')
}
