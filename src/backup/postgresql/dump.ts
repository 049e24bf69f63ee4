import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import type { DatabaseSettings } from '../../config/settings.js'
import { errorCodeOf } from '../error-code.js'
import type { BackupContent } from '../manifest.js'
import { checkDump } from './archive.js'
import { directUrlOf, ownConfigOf, runProgram } from './libpq.js'
import { findProgram } from './programs.js'

interface ServerRow {
  readonly version: string
  readonly major: number
  readonly bytes: string
  readonly snapshot: string
}

const CONNECT_TIMEOUT_MS = 5_000
const UNDEFINED_TABLE = '42P01'

/**
 * Dumps a live database into a new file with pg_dump, from a snapshot in which the rows are counted, too. Then the archive's
 * table of contents is read.
 * @param onStart told how large the database is, in bytes; the dump is compressed
 * @param onCopied told when the dump is written, and about to be checked
 * @returns the server's version, and what is in the snapshot
 * @throws BackupError when the programs are missing or fail, the driver's error when the server cannot be asked
 */
export async function dumpDatabase(
  settings: DatabaseSettings,
  file: string,
  onStart: (bytes: number) => void,
  onCopied: () => void,
): Promise<BackupContent & { readonly databaseVersion: string }> {
  const url = directUrlOf(settings)
  return inSnapshot(url, async (client, { version, major, bytes, snapshot }) => {
    const program = await findProgram('pg_dump', major)
    onStart(Number(bytes))
    const words = ['--format=custom', '--no-password', `--snapshot=${snapshot}`]
    // Through a pipe: when this process is killed, pg_dump ends with it.
    await runProgram(program, words, url, (output) =>
      pipeline(output, createWriteStream(file, { flags: 'wx', mode: 0o600 })),
    )
    const content = await contentOf(client)
    onCopied()
    await checkDump(file, major)
    return { ...content, databaseVersion: version }
  })
}

/** Runs `work` with a snapshot of the database that others can take part in. */
async function inSnapshot<T>(url: string, work: (client: pg.Client, server: ServerRow) => Promise<T>): Promise<T> {
  const client = new pg.Client({ ...ownConfigOf(url), connectionTimeoutMillis: CONNECT_TIMEOUT_MS })
  // A connection that breaks while nothing is asked is noticed by the next question.
  client.on('error', () => undefined)
  await client.connect()
  try {
    // Whatever the role's defaults are: this session waits for pg_dump.
    await client.query('SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0')
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    const { rows } = await client.query<ServerRow>(
      `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int / 10000 AS major,
              pg_database_size(current_database()) AS bytes, pg_export_snapshot() AS snapshot`,
    )
    if (!rows[0]) throw new Error('The server did not answer what it is.')
    return await work(client, rows[0])
  } finally {
    await client.end()
  }
}

async function contentOf(client: pg.Client): Promise<BackupContent> {
  const { rows: tables } = await client.query<{ name: string }>(
    `SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename COLLATE "C"`,
  )
  const rows: Record<string, number> = {}
  for (const { name } of tables) {
    const counted = await client.query<{ rows: string }>(`SELECT count(*) AS rows FROM ${name}`)
    rows[name] = Number(counted.rows[0]?.rows)
  }
  return {
    rows,
    newestPersona: (await rowsIfTable<NonNullable<BackupContent['newestPersona']>>(client, NEWEST_PERSONA))[0] ?? null,
    migrations: await rowsIfTable<BackupContent['migrations'][number]>(client, MIGRATIONS),
  }
}

const NEWEST_PERSONA = `
  SELECT id, version, to_char(updated_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "updatedAt"
  FROM personas ORDER BY updated_at DESC, id DESC LIMIT 1`
const MIGRATIONS = `
  SELECT migration_name AS name, checksum FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY started_at`

async function rowsIfTable<Row extends pg.QueryResultRow>(client: pg.Client, sql: string): Promise<Row[]> {
  await client.query('SAVEPOINT asked')
  try {
    return (await client.query<Row>(sql)).rows
  } catch (error) {
    if (errorCodeOf(error) !== UNDEFINED_TABLE) throw error
    await client.query('ROLLBACK TO SAVEPOINT asked')
    return []
  }
}
