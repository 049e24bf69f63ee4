import { readFileSync, type Stats } from 'node:fs'

/** A line of /proc/locks: `1: POSIX  ADVISORY  READ 4711 fe:00:1234 0 EOF` (device in hex, inode in decimal). */
const LOCK = /^\d+: POSIX +\S+ +\S+ +(\d+) +\S+:(\d+) /

/**
 * The processes that hold locks of a file, as Linux tells them; none where it does not. By the inode alone: on some file
 * systems the device has another number here than in `stat`.
 */
export function lockHoldersOf({ ino }: Pick<Stats, 'ino'>, locks: string = readLocks()): number[] {
  const holders = locks.split('\n').flatMap((line) => {
    const [, pid, inode] = LOCK.exec(line) ?? []
    return Number(inode) === ino ? [Number(pid)] : []
  })
  return [...new Set(holders)]
}

function readLocks(): string {
  try {
    return readFileSync('/proc/locks', 'utf8')
  } catch {
    return ''
  }
}
