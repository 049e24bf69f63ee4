import { statSync } from 'node:fs'
import { locksOf, systemText } from '../file-locks.js'

/** A process that has a read transaction open on the WAL. */
export interface WalReader {
  readonly pid: number
  /** The program's name, where the system tells it. */
  readonly command?: string | undefined
}

/** The bytes of `-shm` that readers lock (https://www.sqlite.org/walformat.html#locks). */
const FIRST_READ_BYTE = 123
const LAST_READ_BYTE = 127

/**
 * The processes that read at this moment; none where the system does not tell. The `-shm` file itself is not opened: to
 * close it would let go of every lock that this process has on it.
 * @param locks the text of /proc/locks
 */
export function readersOf(file: string, locks?: string): WalReader[] {
  const shared = statSync(`${file}-shm`, { throwIfNoEntry: false })
  if (!shared) return []
  const marks = locksOf(shared.ino, locks).filter(({ kind, firstByte }) => {
    return kind === 'READ' && firstByte >= FIRST_READ_BYTE && firstByte <= LAST_READ_BYTE
  })
  const pids = [...new Set(marks.map(({ pid }) => pid))]
  return pids.map((pid) => ({ pid, command: systemText(`/proc/${pid}/comm`).trim() || undefined }))
}
