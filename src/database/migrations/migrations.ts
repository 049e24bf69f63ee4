import type { DatabaseSettings } from '../../config/settings.js'
import { deployMigrations } from './deploy.js'
import { readMigrationFiles } from './migration-files.js'
import { compareHistory, type HistoryState } from './migration-history.js'
import type { MigrationStore } from './migration-store.js'

/** The database's schema is not the one this code was written for; the message says what to do. */
export class SchemaStateError extends Error {
  override readonly name = 'SchemaStateError'
}

/** What an operator does about each difference. */
const ADVICE: Readonly<Record<Exclude<HistoryState['state'], 'current'>, (names: string) => string>> = {
  behind: (names) =>
    `The database is behind the code: ${names} not applied. Run "npx prisma migrate deploy", or start with MIGRATE_ON_START=true.`,
  ahead: (names) =>
    `The database is ahead of the code: it has ${names}, which this version does not know. Start the version that applied them, or restore a backup from before them.`,
  edited: (names) =>
    `${names} was edited after it had been applied to this database. Bring the file back to what it was, and put the change into a migration of its own ("npx prisma migrate dev").`,
  failed: (names) =>
    `${names} failed half-way on this database. Look at what it left, then run "npx prisma migrate resolve --rolled-back ${names}" (or --applied) and start again.`,
}

/** How the database's history compares with the code's. */
export async function schemaState(store: MigrationStore, settings: DatabaseSettings): Promise<HistoryState> {
  return compareHistory(readMigrationFiles(settings.target.provider), await store.readApplied())
}

/**
 * Makes sure that the schema is the code's: applies what is pending if the settings allow it, one process at a time.
 * @returns the names of the migrations that were pending and, by this process or another at the same time, were applied
 * @throws SchemaStateError when it is not and must not, or cannot, be made so
 */
export async function ensureSchema(store: MigrationStore, settings: DatabaseSettings): Promise<readonly string[]> {
  const before = await schemaState(store, settings)
  if (before.state === 'current') return []
  if (before.state !== 'behind' || !settings.migrateOnStart) throw refusalOf(before)
  return store.exclusively(async () => {
    const pending = await schemaState(store, settings)
    if (pending.state === 'current') return []
    if (pending.state !== 'behind') throw refusalOf(pending)
    await deployMigrations(settings.directUrl ?? settings.target.url)
    const after = await schemaState(store, settings)
    if (after.state !== 'current') throw refusalOf(after)
    return pending.names
  })
}

/** @throws SchemaStateError for a database that a transfer has not filled yet: what was written to it would not stay */
export async function assertFilled(store: MigrationStore): Promise<void> {
  if (!(await store.isBeingFilled())) return
  throw new SchemaStateError(
    'A transfer into this database has not come to its end: call "gator transfer" again with the same --from and --to, ' +
      'or end it with --abort, and use the database that it comes from until then.',
  )
}

/** What a start is refused with in a state that is not current. */
export function refusalOf({ state, names }: HistoryState): SchemaStateError {
  return new SchemaStateError(state === 'current' ? '' : ADVICE[state](names.join(', ')))
}
