import { randomBytes } from 'node:crypto'
import pg from 'pg'
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
  /** Makes an empty database that no other test has and answers its URL. */
  createDatabase(): Promise<string>
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

/**
 * Starts a PostgreSQL server of the caller's own on 127.0.0.1. It accepts connections when this resolves.
 * @throws Error that says what to install if there are no PostgreSQL binaries
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const server = await startServer(options)
  return { ...server, createDatabase: () => createDatabase(server.adminUrl) }
}

/** The server that all spec files of one Jest run share. Nobody stops it but Jest's global teardown. */
export function sharedPostgres(): Promise<PostgresDatabases> {
  const adminUrl = process.env[SHARED_URL_VARIABLE]
  if (!adminUrl) return Promise.reject(new Error(`${SHARED_URL_VARIABLE} is not set: Jest's global setup did not run`))
  const port = Number(new URL(adminUrl).port)
  return Promise.resolve({ adminUrl, port, createDatabase: () => createDatabase(adminUrl) })
}

async function createDatabase(adminUrl: string): Promise<string> {
  const name = `test_${randomBytes(8).toString('hex')}`
  const client = new pg.Client({ connectionString: adminUrl })
  await client.connect()
  try {
    await client.query(`CREATE DATABASE ${name}`)
  } finally {
    await client.end()
  }
  const url = new URL(adminUrl)
  url.pathname = `/${name}`
  return url.href
}
