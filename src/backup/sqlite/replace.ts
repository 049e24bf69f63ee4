import { closeSync, existsSync, linkSync, openSync, readSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { openBetterSqlite3, type SqliteDriver } from '../../database/sqlite/driver.js'
import { isBusy, sqliteCodeOf } from '../../database/sqlite/errors.js'
import { BackupError } from '../backup-errors.js'
import { linkNew, syncPath } from '../durable.js'
import { locksOf } from '../../database/sqlite/file-locks.js'

/** What SQLite keeps beside a database; left there, it would be applied to the next file of the name. */
const SIDECARS = ['-wal', '-shm', '-journal'] as const

/** What every SQLite file begins with. */
const HEADER = Buffer.from('SQLite format 3\0')

/**
 * @throws BackupError when another process has a database file open. Changes nothing: in WAL mode every connection has a
 *   shared lock for as long as it is open, and this asks for an exclusive one.
 */
export function assertUnused(file: string): void {
  if (!existsSync(file)) return
  if (!hasHeader(file)) return assertNoHolder(file)
  const driver = openBetterSqlite3(file, { readonly: false, timeoutMs: 0 })
  try {
    driver.pragma('locking_mode = EXCLUSIVE')
    driver.exec('BEGIN IMMEDIATE')
    driver.exec('ROLLBACK')
  } catch (error) {
    assertDamaged(error, file)
  } finally {
    driver.close()
  }
}

/**
 * Puts a file in the place of a database, which is kept aside under a name of its own. At every moment the database's name
 * leads to one of the two, whole. Nobody else has the database open meanwhile: its lock is held. Who opened it just before
 * and waits finds out, since it is not in WAL mode any more: SQLite looks at the name before it changes that.
 * @returns where the replaced database is; null when there was none
 * @throws BackupError when another process uses the database: it is what it was then
 */
export function replaceDatabase(file: string, by: string): string | null {
  const aside = `${file}.replaced-${new Date().toISOString().replace(/[-:]/g, '')}`
  const hold = existsSync(file) ? holdDatabase(file) : undefined
  try {
    const isReplaced = existsSync(file)
    if (isReplaced) keepName(file, aside)
    for (const end of SIDECARS) if (existsSync(`${file}${end}`)) renameSync(`${file}${end}`, `${aside}${end}`)
    if (isReplaced) renameSync(by, file)
    else linkNew(by, file)
    syncPath(dirname(file))
    return isReplaced ? aside : null
  } finally {
    hold?.close()
  }
}

/** Locks a database for this process alone, with all that it holds in the one file; undefined for one that is damaged. */
function holdDatabase(file: string): SqliteDriver | undefined {
  if (!hasHeader(file)) {
    assertNoHolder(file)
    return undefined
  }
  const driver = openBetterSqlite3(file, { readonly: false, timeoutMs: 0 })
  try {
    // Applies the log and removes it, which SQLite does for the only connection alone.
    driver.pragma('journal_mode = DELETE')
    driver.exec('BEGIN EXCLUSIVE')
    return driver
  } catch (error) {
    driver.close()
    assertDamaged(error, file)
    return undefined
  }
}

/**
 * A database that is damaged may be replaced, with all that lies beside it; SQLite cannot tell of it whether others have it open.
 * @throws BackupError when it is in use, the driver's error when it is something else
 */
function assertDamaged(error: unknown, file: string): void {
  if (isBusy(error)) throw inUse(file)
  if (!/^SQLITE_(CORRUPT|NOTADB)/.test(sqliteCodeOf(error) ?? '')) throw error
  assertNoHolder(file)
}

function assertNoHolder(file: string): void {
  if (othersWith(file).length > 0) throw inUse(file)
}

// To open what is no database with SQLite would cost the log beside it: SQLite removes that of an empty file.
function hasHeader(file: string): boolean {
  const descriptor = openSync(file, 'r')
  try {
    const start = Buffer.alloc(HEADER.length)
    readSync(descriptor, start)
    return start.equals(HEADER)
  } finally {
    closeSync(descriptor)
  }
}

function othersWith(file: string): number[] {
  const pids = new Set(locksOf(statSync(file).ino).map(({ pid }) => pid))
  return [...pids].filter((pid) => pid !== process.pid)
}

function inUse(file: string): BackupError {
  const pids = othersWith(file)
  const who = pids.length > 0 ? ` (process ${pids.join(', ')})` : ''
  return new BackupError(`${file} is in use${who}: stop the servers, and whoever else has it open, then try again.`)
}

// A second name, so that the first one is never without a file; without hard links there is such a moment.
function keepName(file: string, aside: string): void {
  try {
    linkSync(file, aside)
  } catch {
    renameSync(file, aside)
  }
}
