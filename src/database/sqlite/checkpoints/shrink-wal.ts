import { type SqliteDriver, writeNothing } from '../driver.js'
import { isBusy } from '../errors.js'
import { walBytesOf, walCheckpoint } from './wal-checkpoint.js'

/** So much a file system gives back in 15 ms. Of the 1.7 GB beside a reader that stays for a minute it takes 0.3 to 0.6 s. */
const PIECE_BYTES = 67_108_864
/** Between two pieces the writers have their turn. */
const PAUSE_MS = 20
const sleeper = new Int32Array(new SharedArrayBuffer(4))

/**
 * Makes a large WAL file smaller, piece by piece, down to two of them: emptied at once it would stop the writers for as
 * long as the file system takes. SQLite cuts the file when the first transaction of a log that begins anew is committed, to
 * the limit of the connection that commits it. To be called on the only connection that has such a limit, when the log is
 * in the database file but for little. Gives up when somebody is in the way: what is left is the next one's.
 */
export function shrinkWal(driver: SqliteDriver, pieceBytes = PIECE_BYTES): void {
  for (let bytes = walBytesOf(driver) - pieceBytes; bytes > pieceBytes; bytes -= pieceBytes) {
    if (walCheckpoint(driver, 'RESTART').isBusy) return
    driver.pragma(`journal_size_limit = ${bytes}`)
    if (!commitNothing(driver)) return
    Atomics.wait(sleeper, 0, 0, PAUSE_MS)
  }
}

/** Answers whether nobody was in the way. */
function commitNothing(driver: SqliteDriver): boolean {
  try {
    driver.exec('BEGIN IMMEDIATE')
    writeNothing(driver)
    driver.exec('COMMIT')
    return true
  } catch (error) {
    if (driver.inTransaction) driver.exec('ROLLBACK')
    if (isBusy(error)) return false
    throw error
  }
}
