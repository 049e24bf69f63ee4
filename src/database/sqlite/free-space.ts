import { statfsSync } from 'node:fs'

/** How much room is left for this user on the disk that a folder is on, in bytes. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}
