import { statSync } from 'node:fs'
import { pino } from 'pino'
import type { DatabaseTarget } from '../config/database-url.js'
import type { DatabaseSettings, Settings } from '../config/settings.js'
import { ensureSchema, refusalOf, schemaState } from '../database/migrations/migrations.js'
import { openDatabase } from '../database/open-database.js'
import { migrationStoreOf } from '../database/root-database.js'
import { type ImportReport, reportOf, type TargetState } from './import-report.js'
import { type ImportedRows, importRows } from './import-rows.js'
import { LegacyDatabase } from './legacy-database.js'
import { LegacyFileError } from './legacy-file.error.js'
import { PersonaTarget } from './persona-target.js'

export interface ImportLegacyOptions {
  /** The predecessor's SQLite file. It and its folder stay as they are. */
  readonly file: string
  /** The target is the database of these settings. */
  readonly settings: Settings
  /** Reads, compares and reports, and writes nothing: no migration either. */
  readonly isDryRun: boolean
  readonly onProgress: (done: number, total: number) => void
}

/**
 * Imports the personas of the predecessor's file.
 * @throws LegacyFileError, SchemaStateError, MigrationFailedError, ImportInterruptedError
 */
export async function importLegacy(options: ImportLegacyOptions): Promise<ImportReport> {
  const { file, settings, isDryRun } = options
  assertOther(file, settings.database.target)
  const legacy = await LegacyDatabase.open(file)
  try {
    const target = await prepareTarget(settings.database, isDryRun)
    const imported = await importInto(target, legacy, options)
    return reportOf({ isDryRun, source: file, target, structure: legacy.structure, imported })
  } finally {
    legacy.close()
  }
}

async function importInto(
  state: TargetState,
  legacy: LegacyDatabase,
  options: ImportLegacyOptions,
): Promise<ImportedRows> {
  const { settings, isDryRun } = options
  const onProgress = (done: number) => options.onProgress(done, legacy.structure.rows)
  // A target that is behind may not even exist: there is nothing to compare with.
  const isThere = !isDryRun || state.state === 'current'
  const database = isThere ? await openDatabase(settings, pino({ level: 'silent' })) : null
  try {
    const target = database && new PersonaTarget(database)
    return await importRows(legacy.rows(), { target, isDryRun, now: new Date(), onProgress })
  } finally {
    await database?.close()
  }
}

async function prepareTarget(database: DatabaseSettings, isDryRun: boolean): Promise<TargetState> {
  const store = migrationStoreOf(database)
  const name = nameOf(database.target)
  if (isDryRun) {
    const found = await schemaState(store, database)
    if (found.state !== 'current' && found.state !== 'behind') throw refusalOf(found)
    return { database: name, state: found.state, pending: found.names }
  }
  const pending = await ensureSchema(store, { ...database, migrateOnStart: true })
  return { database: name, state: pending.length === 0 ? 'current' : 'behind', pending }
}

function assertOther(file: string, target: DatabaseTarget): void {
  if (target.provider !== 'sqlite') return
  const [one, other] = [file, target.file].map((path) => statSync(path, { throwIfNoEntry: false }))
  if (one && other && one.ino === other.ino && one.dev === other.dev) {
    throw new LegacyFileError(`${file} is also the target: name another with DATABASE_URL or --to.`)
  }
}

/** The target without a password. */
function nameOf(target: DatabaseTarget): string {
  if (target.provider === 'sqlite') return target.file
  const { host, pathname } = new URL(target.url)
  return `postgresql://${host}${pathname}`
}
