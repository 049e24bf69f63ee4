import { join } from 'node:path'
import { openBetterSqlite3 } from '../database/sqlite/driver.js'
import { isBusy } from '../database/sqlite/errors.js'
import { BackupBusyError } from './backup-errors.js'

/** Stays when it is let go: to remove it could let two processes each lock a file of that name. */
const LOCK_FILE = '.gator-backup-lock'

/**
 * Keeps other backups out of a folder until the answered function is called, or this process dies, however it dies: an
 * exclusive transaction on an empty SQLite file.
 * @throws BackupBusyError when another process has it
 */
export function lockFolder(folder: string): () => void {
  const lock = openBetterSqlite3(join(folder, LOCK_FILE), { readonly: false, timeoutMs: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (!isBusy(error)) throw error
    throw new BackupBusyError(`Another backup, or a restore, is under way in ${folder}. Try again when it has ended.`)
  }
  return () => lock.close()
}
