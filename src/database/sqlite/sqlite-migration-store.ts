import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { AppliedMigration } from '../migrations/migration-history.js'
import type { MigrationStore } from '../migrations/migration-store.js'
import { openBetterSqlite3 } from './driver.js'
import { isBusy } from './errors.js'

interface MigrationRow {
  readonly migration_name: string
  readonly checksum: string
  readonly finished_at: unknown
  readonly rolled_back_at: unknown
}

const LOCK_RETRY_MS = 20
const BUSY_TIMEOUT_MS = 30_000

/**
 * The migrations of an SQLite file. The lock is an exclusive transaction on an empty SQLite file beside the database
 * (see prisma/schema-engine/sqlite-lock.mjs): it is free again when its holder dies, however it dies.
 */
export class SqliteMigrationStore implements MigrationStore {
  constructor(private readonly file: string) {}

  readApplied(): Promise<AppliedMigration[]> {
    return Promise.resolve(existsSync(this.file) ? readRows(this.file).map(toApplied) : [])
  }

  // The lock is let go again before the work: the command that migrates takes it itself, and holds it even if this
  // process is killed meanwhile. Two that get here together are put in order by that.
  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    mkdirSync(dirname(this.file), { recursive: true })
    const lock = openBetterSqlite3(`${this.file}-migrate-lock`, { readonly: false, timeoutMs: 0 })
    try {
      await beginExclusive(() => lock.exec('BEGIN EXCLUSIVE'))
    } finally {
      lock.close()
    }
    return work()
  }
}

// Waits as long as it takes: a migration of a large table is slow, and starting beside it would be wrong.
async function beginExclusive(begin: () => void): Promise<void> {
  for (;;) {
    try {
      begin()
      return
    } catch (error) {
      if (!isBusy(error)) throw error
    }
    await delay(LOCK_RETRY_MS)
  }
}

function readRows(file: string): MigrationRow[] {
  const driver = openBetterSqlite3(file, { readonly: true, timeoutMs: BUSY_TIMEOUT_MS })
  try {
    const table = driver
      .prepare(`SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_prisma_migrations'`)
      .get()
    if (table === undefined) return []
    return driver
      .prepare<[], MigrationRow>(
        'SELECT migration_name, checksum, finished_at, rolled_back_at FROM _prisma_migrations ORDER BY started_at',
      )
      .all()
  } finally {
    driver.close()
  }
}

function toApplied(row: MigrationRow): AppliedMigration {
  return {
    name: row.migration_name,
    checksum: row.checksum,
    isFinished: row.finished_at !== null,
    isRolledBack: row.rolled_back_at !== null,
  }
}
