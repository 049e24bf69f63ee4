// It reads what the kernel tells, never a database file.
// eslint-disable-next-line no-restricted-imports
import { readFileSync, statSync } from 'node:fs'

/** A process that has a read transaction open on the WAL. */
export interface WalReader {
  readonly pid: number
  /** The program's name, where the system tells it. */
  readonly command?: string | undefined
}

/** A line of /proc/locks: `1: POSIX  ADVISORY  READ 4711 fe:00:1234 124 124` (device in hex, the rest in decimal). */
const LOCK = /^\d+: POSIX +\S+ +READ +(\d+) +\S+:(\d+) +(\d+) /
/** The bytes of `-shm` that readers lock (https://www.sqlite.org/walformat.html#locks). */
const FIRST_READ_BYTE = 123
const LAST_READ_BYTE = 127

/**
 * The processes that read at this moment, as Linux tells them; none where it does not. The `-shm` file itself is not
 * opened: to close it would let go of every lock that this process has on it.
 * @param locks the text of /proc/locks
 */
export function readersOf(file: string, locks: string = textOf('/proc/locks')): WalReader[] {
  const inode = statSync(`${file}-shm`, { throwIfNoEntry: false })?.ino
  const pids = new Set<number>()
  for (const line of locks.split('\n')) {
    const [, pid, ino, byte] = LOCK.exec(line) ?? []
    if (Number(ino) === inode && Number(byte) >= FIRST_READ_BYTE && Number(byte) <= LAST_READ_BYTE)
      pids.add(Number(pid))
  }
  return [...pids].map((pid) => ({ pid, command: textOf(`/proc/${pid}/comm`).trim() || undefined }))
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
