// It reads what the kernel tells, never a database file.
// eslint-disable-next-line no-restricted-imports
import { readFileSync } from 'node:fs'

/** A lock that a process has on a file; `firstByte` is where it begins. */
export interface FileLock {
  readonly pid: number
  readonly kind: 'READ' | 'WRITE'
  readonly firstByte: number
}

/** A line of /proc/locks: `1: POSIX  ADVISORY  READ 4711 fe:00:1234 124 EOF` (device in hex, the rest in decimal). */
const LOCK = /^\d+: POSIX +\S+ +(READ|WRITE) +(\d+) +\S+:(\d+) +(\d+) /

/**
 * The locks of a file, as Linux tells them; none where it does not. By the inode alone: on some file systems the device has
 * another number here than in `stat`.
 * @param locks the text of /proc/locks
 */
export function locksOf(ino: number, locks: string = systemText('/proc/locks')): FileLock[] {
  return locks.split('\n').flatMap((line) => {
    const [, kind, pid, inode, firstByte] = LOCK.exec(line) ?? []
    if (Number(inode) !== ino) return []
    return [{ pid: Number(pid), kind: kind as FileLock['kind'], firstByte: Number(firstByte) }]
  })
}

/** A text that the system makes; empty where there is none. */
export function systemText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
