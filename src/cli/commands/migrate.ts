import { Command } from 'commander'
import { loadSettings } from '../../config/environment.js'
import { ensureSchema, schemaState } from '../../database/migrations/migrations.js'
import { migrationStoreOf } from '../../database/root-database.js'
import { createOutput } from '../output.js'

interface Options {
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** `gator migrate`: applies what is pending, one process at a time, as a server does at its start. */
export function migrateCommand(): Command {
  return new Command('migrate')
    .description('apply the pending migrations to the database of DATABASE_URL')
    .option('-n, --dry-run', 'only say which are pending; exit code 1 when the database is not current')
    .option('--json', 'print the result as JSON')
    .action(migrate)
}

async function migrate({ dryRun: isDryRun = false, json: isJson = false }: Options): Promise<void> {
  const output = createOutput(isJson)
  const { database } = loadSettings()
  const store = migrationStoreOf(database)
  if (isDryRun) {
    const { state, names } = await schemaState(store, database)
    output.result({ state, migrations: names }, state === 'current' ? 'current' : `${state}: ${names.join(', ')}`)
    if (state !== 'current') process.exitCode = 1
    return
  }
  const applied = await ensureSchema(store, { ...database, migrateOnStart: true })
  output.result({ state: 'current', applied }, applied.length === 0 ? 'current' : `applied: ${applied.join(', ')}`)
}
