import { existsSync, realpathSync } from 'node:fs'
import { dirname, join, basename } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openBetterSqlite3, type SqliteDriver } from '../../database/sqlite/driver.js'
import { isBusy } from '../../database/sqlite/errors.js'
import { applyPragmas, type ConnectionRole } from '../../database/sqlite/pragmas.js'
import { assertSafeSqliteVersion, sqliteVersion } from '../../database/sqlite/version-gate.js'
import { TransferError } from '../transfer-errors.js'

// Constant and short, as the service's own: whoever backs off loses to whoever does not.
const LOCK_POLL_MS = 1

/**
 * Opens a connection with the service's PRAGMAs. A writer syncs at every commit: what one side says of the other must
 * survive a power cut in the order in which it was said.
 */
export function openSqlite(file: string, role: ConnectionRole, busyTimeoutMs: number): SqliteDriver {
  if (!existsSync(file)) throw new TransferError(`There is no database file ${file}.`)
  const driver = openBetterSqlite3(file, { readonly: role === 'reader', timeoutMs: busyTimeoutMs })
  try {
    assertSafeSqliteVersion(sqliteVersion(driver))
    applyPragmas(driver, role, { busyTimeoutMs, synchronous: 'FULL' })
    return driver
  } catch (error) {
    driver.close()
    throw error
  }
}

/** A file's identity: however it is spelt, and whether it is there or not. */
export function identityOf(file: string): string {
  const folder = dirname(file)
  const real = existsSync(file)
    ? realpathSync(file)
    : join(existsSync(folder) ? realpathSync(folder) : folder, basename(file))
  return `sqlite:${real}`
}

/**
 * Runs `work` in an immediate transaction, waiting for the write lock without blocking.
 * @throws TransferError when it could not be had within the busy timeout; else what `work` throws, with nothing written
 */
export async function inTransaction<T>(
  driver: SqliteDriver,
  busyTimeoutMs: number,
  work: () => T | Promise<T>,
): Promise<T> {
  await beginImmediate(driver, busyTimeoutMs)
  try {
    const result = await work()
    driver.exec('COMMIT')
    return result
  } finally {
    if (driver.open && driver.inTransaction) driver.exec('ROLLBACK')
  }
}

async function beginImmediate(driver: SqliteDriver, busyTimeoutMs: number): Promise<void> {
  const deadline = performance.now() + busyTimeoutMs
  driver.pragma('busy_timeout = 0')
  try {
    for (;;) {
      try {
        driver.exec('BEGIN IMMEDIATE')
        return
      } catch (error) {
        if (!isBusy(error)) throw error
        if (performance.now() > deadline) {
          throw new TransferError(`The write lock of ${driver.name} was not free within ${busyTimeoutMs} ms.`, {
            cause: error,
          })
        }
      }
      await delay(LOCK_POLL_MS)
    }
  } finally {
    driver.pragma(`busy_timeout = ${busyTimeoutMs}`)
  }
}

export function hasTable(driver: SqliteDriver, name: string): boolean {
  return driver.prepare(`SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?`).get(name) !== undefined
}
