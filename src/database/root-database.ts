import type { Logger } from 'pino'
import type { WorkerCoordination } from '../cluster/primary.js'
import type { DatabaseSettings, Settings } from '../config/settings.js'
import type { MigrationStore } from './migrations/migration-store.js'
import { PostgresqlMigrationStore } from './postgresql/postgresql-migration-store.js'
import { checkServer } from './postgresql/server-check.js'
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

/** What the primary does with each worker that it forks, so that their writes are served in order. */
export function ticketsFor(
  settings: DatabaseSettings,
  watchTickets: (office: TicketOffice) => void,
): WorkerCoordination['onFork'] {
  if (settings.target.provider === 'postgresql') return () => undefined
  const office = new TicketOffice(settings.busyTimeoutMs + settings.transactionTimeoutMs + TURN_MARGIN_MS)
  watchTickets(office)
  return (worker, slot) => office.attach(worker, slot)
}
