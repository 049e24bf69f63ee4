import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { migrationScript } from './migrations.js'
import { startServer } from './postgres-server.mjs'

export interface PostgresOptions {
  /** Server settings as `postgres -c name=value` takes them. */
  settings?: Record<string, string>
  /** A data directory, on the same disk as temporary files are, that becomes this server's own. */
  copyOf?: string
}

/** What every test gets, whether the server is its own or shared. */
export interface PostgresDatabases {
  /** The URL of the superuser's database `postgres`. */
  adminUrl: string
  port: number
  /** Makes a database that no other test has, empty or a copy of the one that is named, and answers its URL. */
  createDatabase(template?: string): Promise<string>
}

export interface RunningServer {
  adminUrl: string
  port: number
  /** The process id of the server itself. */
  pid: number
  dataDirectory: string
  /** Takes the server away; its data stay. `kill` is kill -9 of the server, whose sessions end a moment later. */
  down(mode: 'fast' | 'immediate' | 'kill'): Promise<void>
  /** Starts it again, on the same port; it accepts connections when this resolves. */
  up(): Promise<void>
  /**
   * Ends the server and removes its folder; resolves when both are gone. `fast` closes connections and shuts down in
   * order, `immediate` is a crash that leaves recovery to the next start. Calling it again does nothing.
   */
  stop(mode?: 'fast' | 'immediate'): Promise<void>
}

export interface PostgresServer extends RunningServer, PostgresDatabases {}

/** Carries the shared server's address from Jest's global setup to the processes that run the tests. */
const SHARED_URL_VARIABLE = 'TEST_POSTGRES_URL'

/** The database that every migrated one is a copy of: copying takes less time than migrating. */
const TEMPLATE = 'migrated'
/** Any number: nobody else takes advisory locks in the database `postgres`. */
const TEMPLATE_LOCK = 1

/**
 * Starts a PostgreSQL server of the caller's own on 127.0.0.1. It accepts connections when this resolves.
 * @throws Error that says what to install if there are no PostgreSQL binaries
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const server = await startServer(options)
  return { ...server, createDatabase: (template) => createDatabase(server.adminUrl, template) }
}

/** The server that all spec files of one Jest run share. Nobody stops it but Jest's global teardown. */
export function sharedPostgres(): Promise<PostgresDatabases> {
  const adminUrl = process.env[SHARED_URL_VARIABLE]
  if (!adminUrl) return Promise.reject(new Error(`${SHARED_URL_VARIABLE} is not set: Jest's global setup did not run`))
  const port = Number(new URL(adminUrl).port)
  return Promise.resolve({ adminUrl, port, createDatabase: (template) => createDatabase(adminUrl, template) })
}

/** Makes a migrated database of the caller's own on the shared server and answers its URL. */
export async function createMigratedDatabase(): Promise<string> {
  const { adminUrl } = await sharedPostgres()
  await makeTemplate(adminUrl)
  return createDatabase(adminUrl, TEMPLATE)
}

/** Drops a database of the shared server, whoever is still connected to it. */
export async function dropDatabase(url: string): Promise<void> {
  const { adminUrl } = await sharedPostgres()
  await queryPostgres(adminUrl, `DROP DATABASE ${new URL(url).pathname.slice(1)} WITH (FORCE)`)
}

/** Runs SQL through a connection of its own. One statement answers its rows, several answer none. */
export async function queryPostgres(url: string, sql: string): Promise<Record<string, unknown>[]> {
  return connected(url, async (client) => {
    const result = await client.query<Record<string, unknown>>(sql)
    return Array.isArray(result) ? [] : result.rows
  })
}

/** Makes the template unless a spec file, of this process or another, has made it. */
async function makeTemplate(adminUrl: string): Promise<void> {
  await connected(adminUrl, async (admin) => {
    await admin.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK])
    const { rowCount } = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1 AND datistemplate', [TEMPLATE])
    if (rowCount) return
    await admin.query(`DROP DATABASE IF EXISTS ${TEMPLATE}`)
    await admin.query(`CREATE DATABASE ${TEMPLATE}`)
    await queryPostgres(urlOf(adminUrl, TEMPLATE), migrationScript('postgresql'))
    await admin.query(`ALTER DATABASE ${TEMPLATE} IS_TEMPLATE true`)
  })
}

async function createDatabase(adminUrl: string, template = 'template1'): Promise<string> {
  const name = `test_${randomBytes(8).toString('hex')}`
  await queryPostgres(adminUrl, `CREATE DATABASE ${name} TEMPLATE ${template}`)
  return urlOf(adminUrl, name)
}

function urlOf(adminUrl: string, database: string): string {
  const url = new URL(adminUrl)
  url.pathname = `/${database}`
  return url.href
}

async function connected<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
