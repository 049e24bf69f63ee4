import { Client, type ClientConfig } from 'pg'
import { clientConfigOf } from '../../database/postgresql/connection-config.js'
import { TransferError } from '../transfer-errors.js'

const CONNECT_TIMEOUT_MS = 5_000
/** Values arrive as PostgreSQL writes them: what they are is decided by the columns' types. */
const AS_TEXT = { getTypeParser: () => (text: string) => text } as unknown as NonNullable<ClientConfig['types']>

/**
 * What the forms of values depend on; a transfer's statements last as long as they last; and a commit is on the disk
 * when it is answered, whatever the database's default: the other side relies on it.
 */
const SESSION = `
  SET datestyle = 'ISO, YMD'; SET timezone = 'UTC'; SET bytea_output = 'hex'; SET extra_float_digits = 1;
  SET standard_conforming_strings = on; SET client_min_messages = warning;
  SET synchronous_commit = on; SET statement_timeout = 0; SET lock_timeout = 0;
  SET idle_in_transaction_session_timeout = 0`

/** A connection of a transfer. Rows are arrays of texts. */
export class PostgresqlConnection {
  private constructor(
    private readonly client: Client,
    /** The schema that holds the tables. */
    readonly schema: string,
    /** The same for every way to this database. */
    readonly identity: string,
  ) {}

  /** @throws TransferError when the database cannot be reached */
  static async open(url: string): Promise<PostgresqlConnection> {
    const client = new Client({
      ...clientConfigOf(url),
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      application_name: 'gator transfer',
      types: AS_TEXT,
    })
    // One that breaks while nobody uses it: the next statement says so.
    client.on('error', () => undefined)
    try {
      await client.connect()
      await client.query(SESSION)
      const found = await client.query<[string | null, string, string]>({
        text: 'SELECT current_schema(), current_database(), (SELECT system_identifier FROM pg_control_system())',
        rowMode: 'array',
      })
      const [schema, database, server] = found.rows[0] ?? [null, '', '']
      if (schema === null) throw new Error('it has no schema of the search path')
      return new PostgresqlConnection(client, schema, `postgresql:${server}/${database}/${schema}`)
    } catch (error) {
      await client.end().catch(() => undefined)
      throw new TransferError(`${labelOf(url)} cannot be used: ${(error as Error).message}`, { cause: error })
    }
  }

  async rows(text: string, values: readonly unknown[] = []): Promise<(string | null)[][]> {
    const result = await this.client.query<(string | null)[]>({ text, values: [...values], rowMode: 'array' })
    return result.rows
  }

  /** The first value of the first row. */
  async value(text: string, values: readonly unknown[] = []): Promise<string | null> {
    return (await this.rows(text, values))[0]?.[0] ?? null
  }

  /** Runs several statements, separated by semicolons. */
  async run(script: string): Promise<void> {
    await this.client.query(script)
  }

  /** Commits what `work` did, or rolls back what it did before it failed. */
  async transaction<T>(work: () => Promise<T>, begin = 'BEGIN'): Promise<T> {
    await this.run(begin)
    try {
      const result = await work()
      await this.run('COMMIT')
      return result
    } catch (error) {
      // If the connection is what failed, PostgreSQL rolls back by itself.
      await this.run('ROLLBACK').catch(() => undefined)
      throw error
    }
  }

  async close(): Promise<void> {
    await this.client.end().catch(() => undefined)
  }
}

/** A URL for people: no user, no password, no options. */
export function labelOf(url: string): string {
  const { host, pathname } = new URL(url)
  return `postgresql://${host}${pathname}`
}

/** The SQLSTATE of an error of PostgreSQL's. */
export function sqlStateOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
