import type { Logger } from 'pino'
import type { WorkerCoordination } from '../cluster/primary.js'
import type { DatabaseSettings, Settings } from '../config/settings.js'
import type { MigrationStore } from './migrations/migration-store.js'
import { PostgresqlMigrationStore } from './postgresql/postgresql-migration-store.js'
import { checkServer } from './postgresql/server-check.js'
import { FileIdentity } from './sqlite/file-identity.js'
import { SqliteMigrationStore } from './sqlite/sqlite-migration-store.js'
import { TicketOffice } from './sqlite/ticket-office.js'

// What the process that starts a server does with the database, before anyone serves and beside it. It needs none of
// Prisma's clients.

/** The migrations' side of the database that the settings name. */
export function migrationStoreOf({ target, directUrl }: DatabaseSettings): MigrationStore {
  return target.provider === 'sqlite'
    ? new SqliteMigrationStore(target.file)
    : new PostgresqlMigrationStore(directUrl ?? target.url)
}

/**
 * Looks once, before anyone serves, whether the database's server can do what is asked of it.
 * @returns why it cannot, or undefined; what only endangers it is logged
 */
export async function refusalOfServer({ server, database }: Settings, logger: Logger): Promise<string | undefined> {
  if (database.target.provider === 'sqlite') return undefined
  const { refusal, warnings } = await checkServer(database.target.url, server.workers, database.poolSize)
  for (const warning of warnings) logger.warn(warning)
  return refusal
}

// Its holder waits for SQLite's lock, and then the watchdog ends its transaction: a turn that lasts longer is forgotten.
const TURN_MARGIN_MS = 1_000

export type DatabaseCoordination = Omit<WorkerCoordination, 'onDeath'>

/** What the primary does so that its workers' writes are served in order, and all go to one file. */
export function databaseCoordination(
  settings: DatabaseSettings,
  watchTickets: (office: TicketOffice) => void,
): DatabaseCoordination {
  if (settings.target.provider === 'postgresql') {
    return { onFork: () => undefined, databaseFile: undefined, assertUnchanged: () => undefined }
  }
  const file = new FileIdentity(settings.target.file)
  file.remember()
  const office = new TicketOffice(settings.busyTimeoutMs + settings.transactionTimeoutMs + TURN_MARGIN_MS)
  watchTickets(office)
  return {
    onFork: (worker, slot) => office.attach(worker, slot),
    databaseFile: String(file),
    assertUnchanged: () => file.assertUnchanged(),
  }
}
