import { existsSync } from 'node:fs'
import type { DatabaseSettings } from '../config/settings.js'
import { readMigrationFiles } from '../database/migrations/migration-files.js'
import { type AppliedMigration, compareHistory } from '../database/migrations/migration-history.js'
import { assertFilled, refusalOf } from '../database/migrations/migrations.js'
import { migrationStoreOf } from '../database/root-database.js'
import { reading } from '../database/sqlite/driver.js'
import { appliedMigrationsOf } from '../database/sqlite/sqlite-migration-store.js'
import { type Check, green, type Outcome, red, yellow } from './check.js'

/** Whether the schema is the code's, and whether a transfer has left it half filled. */
export function migrationChecks(settings: DatabaseSettings): Check[] {
  return [
    { about: 'migrations', run: () => migrationState(settings) },
    { about: 'transfer', run: () => transferState(settings) },
  ]
}

async function migrationState(settings: DatabaseSettings): Promise<Outcome> {
  const { target, migrateOnStart } = settings
  const history = compareHistory(readMigrationFiles(target.provider), await appliedOn(settings))
  if (history.state === 'current') return green('current')
  const what = `${history.state}: ${history.names.join(', ')}`
  const advice = refusalOf(history).message
  return history.state === 'behind' && migrateOnStart
    ? yellow(what, 'The next start of a server applies them; "gator migrate" does it now.')
    : red(what, advice)
}

// The store of SQLite looks whether it may write, for the moment of a lock: a doctor does not.
function appliedOn(settings: DatabaseSettings): AppliedMigration[] | Promise<AppliedMigration[]> {
  const { target, busyTimeoutMs } = settings
  if (target.provider === 'postgresql') return migrationStoreOf(settings).readApplied()
  return existsSync(target.file) ? reading(target.file, appliedMigrationsOf, busyTimeoutMs) : []
}

async function transferState(settings: DatabaseSettings): Promise<Outcome> {
  try {
    await assertFilled(migrationStoreOf(settings))
    return green('none under way into this database')
  } catch (error) {
    if (error instanceof Error && !('code' in error))
      return red('a transfer into this database is not finished', error.message)
    throw error
  }
}
