import { Client } from 'pg'
import { SchemaStateError } from '../migrations/migrations.js'
import { isUnfinished, TRANSFER_STATE } from '../migrations/transfer-state.js'
import { clientConfigOf, isPooled } from './connection-config.js'
import type { AppliedMigration } from '../migrations/migration-history.js'
import type { MigrationStore } from '../migrations/migration-store.js'

interface MigrationRow {
  readonly name: string
  readonly checksum: string
  readonly is_finished: boolean
  readonly is_rolled_back: boolean
}

const CONNECT_TIMEOUT_MS = 5_000
/** A number that nobody else uses: Prisma's own lock (72707369) is taken inside of this one, and gives up after 10 s. */
const ADVISORY_LOCK = 1_952_804_466
const UNDEFINED_TABLE = '42P01'
const UNDEFINED_DATABASE = '3D000'

/** The migrations of a PostgreSQL database. The lock is an advisory lock of the session, free when its holder dies. */
export class PostgresqlMigrationStore implements MigrationStore {
  constructor(private readonly url: string) {}

  async readApplied(): Promise<AppliedMigration[]> {
    try {
      const rows = await this.connected((client) =>
        client.query<MigrationRow>(
          `SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS is_finished,
                  rolled_back_at IS NOT NULL AS is_rolled_back
           FROM _prisma_migrations ORDER BY started_at`,
        ),
      )
      return rows.rows.map(({ name, checksum, is_finished: isFinished, is_rolled_back: isRolledBack }) => {
        return { name, checksum, isFinished, isRolledBack }
      })
    } catch (error) {
      if (codeOf(error) === UNDEFINED_TABLE || codeOf(error) === UNDEFINED_DATABASE) return []
      throw error
    }
  }

  async isBeingFilled(): Promise<boolean> {
    return this.connected(async (client) => {
      const { rows: found } = await client.query<{ table: string | null }>('SELECT to_regclass($1) AS table', [
        TRANSFER_STATE,
      ])
      if (!found[0]?.table) return false
      const { rows } = await client.query<{ state: string }>(`SELECT state FROM ${TRANSFER_STATE}`)
      return rows.some(({ state }) => isUnfinished(state))
    })
  }

  /** @throws SchemaStateError behind a pooler, where a session's lock may be taken by one server process and left in another */
  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    if (isPooled(this.url)) {
      throw new SchemaStateError('Migrations need the PostgreSQL server itself, not a pooler: set DATABASE_DIRECT_URL.')
    }
    try {
      return await this.connected(async (client) => {
        await client.query('SELECT pg_advisory_lock($1)', [ADVISORY_LOCK])
        return work()
      })
    } catch (error) {
      // There is nothing to lock yet: the command that migrates creates the database, and takes its own lock then.
      if (codeOf(error) === UNDEFINED_DATABASE) return work()
      throw error
    }
  }

  private async connected<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = new Client({ ...clientConfigOf(this.url), connectionTimeoutMillis: CONNECT_TIMEOUT_MS })
    // A connection that breaks while nothing is asked is noticed by the next question.
    client.on('error', () => undefined)
    await client.connect()
    try {
      return await work(client)
    } finally {
      await client.end()
    }
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
