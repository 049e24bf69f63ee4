import { existsSync } from 'node:fs'
import type { DatabaseSettings } from '../config/settings.js'
import { ensureSchema, schemaState } from '../database/migrations/migrations.js'
import { migrationStoreOf } from '../database/root-database.js'
import { assertEmpty } from './begin.js'
import type { Source, Target } from './ports.js'
import { sqlStateOf } from './postgresql/connect.js'
import { PostgresqlSource } from './postgresql/source.js'
import { objectionTo, PostgresqlTarget } from './postgresql/target.js'
import { SqliteSource } from './sqlite/source.js'
import { SqliteTarget } from './sqlite/target.js'
import { TransferError } from './transfer-errors.js'

const UNDEFINED_DATABASE = '3D000'

/** The source's side. @throws TransferError when there is no such database */
export function openSource({ target, busyTimeoutMs }: DatabaseSettings): Promise<Source> {
  return target.provider === 'postgresql'
    ? PostgresqlSource.open(target.url, busyTimeoutMs)
    : new Promise((resolve) => resolve(new SqliteSource(target.file, busyTimeoutMs)))
}

/** The target's side, as it is; null when there is no such database yet. */
export async function openTarget(
  { target, busyTimeoutMs }: DatabaseSettings,
  isReadOnly = false,
): Promise<Target | null> {
  if (target.provider === 'sqlite') {
    return existsSync(target.file) ? new SqliteTarget(target.file, busyTimeoutMs, isReadOnly) : null
  }
  try {
    return await PostgresqlTarget.open(target.url)
  } catch (error) {
    if (error instanceof TransferError && sqlStateOf(error.cause) === UNDEFINED_DATABASE) return null
    throw error
  }
}

/** Why a text cannot be held by the database of these settings, or null; for one that is not there yet, too. */
export function objectionOf({ target }: DatabaseSettings): (text: string) => string | null {
  return target.provider === 'postgresql' ? objectionTo : () => null
}

/**
 * The target's side, with the project's schema.
 * @throws TransferError when it has rows and another schema: then nothing is changed
 */
export async function openMigratedTarget(settings: DatabaseSettings): Promise<Target> {
  const store = migrationStoreOf(settings)
  const { state } = await schemaState(store, settings)
  if (state === 'behind') await assertNoRows(settings)
  await ensureSchema(store, { ...settings, migrateOnStart: true })
  const target = await openTarget(settings)
  if (!target) throw new TransferError('The target was migrated, but is not there.')
  return target
}

/** @throws SchemaStateError when a database is not at the schema of this code */
export async function assertCurrent(settings: DatabaseSettings): Promise<void> {
  await ensureSchema(migrationStoreOf(settings), { ...settings, migrateOnStart: false })
}

async function assertNoRows(settings: DatabaseSettings): Promise<void> {
  const target = await openTarget(settings, true)
  if (!target) return
  try {
    await assertEmpty(target, await target.tables())
  } finally {
    await target.close()
  }
}
