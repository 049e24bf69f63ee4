import cluster from 'node:cluster'
import { inspect } from 'node:util'
import type { Logger } from 'pino'
import { refusalWithoutKeys } from './access/start-check.js'
import { RootDuties } from './cluster/root-duties.js'
import { Primary } from './cluster/primary.js'
import type { serve as serveHere } from './cluster/serve.js'
import { StartFailedError, tellPrimary } from './cluster/start-failure.js'
import { loadSettings, workerSlot } from './config/environment.js'
import { InvalidSettingsError, type Settings } from './config/settings.js'
import { MigrationFailedError } from './database/migrations/deploy.js'
import { assertFilled, ensureSchema, SchemaStateError } from './database/migrations/migrations.js'
import { passGates, tryLocks } from './database/pass-gates.js'
import { migrationStoreOf, refusalOfServer } from './database/root-database.js'
import { StartRefusedError } from './database/sqlite/start-gates.js'
import { UnsafeSqliteVersionError } from './database/sqlite/version-gate.js'
import { createLogger } from './logging/logger.js'

/** Errors whose message is for the person who started the server; a stack would only hide it. */
const FOR_PEOPLE = [
  InvalidSettingsError,
  SchemaStateError,
  MigrationFailedError,
  StartFailedError,
  StartRefusedError,
  UnsafeSqliteVersionError,
]

try {
  await main()
} catch (error) {
  const isForPeople = FOR_PEOPLE.some((kind) => error instanceof kind)
  const reason = isForPeople && error instanceof Error ? error.message : inspect(error)
  if (!(await tellPrimary(reason))) console.error(reason)
  process.exit(1)
}

async function main(): Promise<void> {
  const settings = loadSettings()
  const slot = workerSlot()
  const logger = createLogger(settings.log, slot === undefined ? {} : { worker: slot })
  if (cluster.isWorker) return serve(settings, logger, { worker: slot })
  await Promise.resolve()
    .then(() => passGates(settings.database, logger))
    .catch(explainUnopened)
  // The two wait for different things: a process that is started, and the disk.
  await Promise.all([tryLocks(settings.database), migrate(settings, logger)])
  const refusal =
    (await refusalOfServer(settings, logger).catch(explainUnopened)) ??
    (await refusalWithoutKeys(settings, logger).catch(explainUnopened))
  if (refusal !== undefined) throw new StartFailedError(refusal)
  const duties = new RootDuties(settings, logger)
  if (settings.server.workers > 1) {
    await new Primary(settings.server, logger, duties.coordination(), () => duties.stop()).start()
    return duties.served()
  }
  process.on('SIGHUP', () =>
    logger.warn('SIGHUP reloads workers, and there is only this one process: restart it instead'),
  )
  return serve(settings, logger, { duties })
}

// Nest and all that comes with it: a primary never serves, and needs neither the time nor the memory.
async function serve(...[settings, logger, options]: Parameters<typeof serveHere>): Promise<void> {
  const { serve: here } = await import('./cluster/serve.js')
  return here(settings, logger, options)
}

// A driver's own error has a code; its message says what is wrong with the file, or the server.
function explainUnopened(error: unknown): never {
  if (!(error instanceof Error) || !('code' in error)) throw error
  throw new StartFailedError(`The database cannot be opened: ${error.message || String(error.code)}`)
}

async function migrate(settings: Settings, logger: Logger): Promise<void> {
  const store = migrationStoreOf(settings.database)
  const pending = await ensureSchema(store, settings.database).catch(explainUnopened)
  await assertFilled(store).catch(explainUnopened)
  if (pending.length > 0) logger.info({ migrations: pending }, 'the database was behind and has these migrations now')
}
