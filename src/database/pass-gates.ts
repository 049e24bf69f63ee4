import { readdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Logger } from 'pino'
import type { DatabaseSettings } from '../config/settings.js'
import { LOCK_PROBE, passLockGate, passStartGates } from './sqlite/start-gates.js'

/**
 * Looks, before anything is written, whether an SQLite file may be served where it is; what only endangers it is logged.
 * @throws StartRefusedError, UnsafeSqliteVersionError, or what the system says of the folder
 */
export function passGates({ target, ...settings }: DatabaseSettings, logger: Logger): void {
  if (target.provider === 'postgresql') return
  for (const warning of passStartGates({ ...settings, file: target.file })) logger.warn(warning)
}

/**
 * Tries locks out beside an SQLite file.
 * @throws StartRefusedError
 */
export async function tryLocks({ target }: DatabaseSettings): Promise<void> {
  if (target.provider === 'postgresql') return
  removeLeftProbes(target.file)
  await passLockGate({ file: target.file, remove: removeDatabase })
}

// A process that was killed in the middle of its probe leaves it.
function removeLeftProbes(file: string): void {
  const prefix = basename(file) + LOCK_PROBE
  for (const name of readdirSync(dirname(file))) {
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length)) : NaN
    if (pid > 0 && !isAlive(pid)) rmSync(join(dirname(file), name), { force: true })
  }
}

function removeDatabase(file: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM'
  }
}
