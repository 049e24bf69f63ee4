import { randomUUID } from 'node:crypto'
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { presentAsNative } from './postgresql-adapter.mjs'
import { explain } from './postgresql-errors.mjs'
import { readConnection } from './postgresql-url.mjs'
import { databaseDoesNotExist, databaseExists, shadowDatabaseFailed } from './errors.mjs'

/** Databases that every server has: one is needed to create or drop another. */
const MAINTENANCE_DATABASES = ['postgres', 'template1']

/** SQLSTATE codes, https://www.postgresql.org/docs/current/errcodes-appendix.html */
const UNKNOWN_DATABASE = '3D000'
const DUPLICATE_DATABASE = '42P04'

const SHADOW_PREFIX = 'prisma_migrate_shadow_db_'

/**
 * A PostgreSQL database.
 * @implements {import('./databases.mjs').Database}
 */
export class PostgresqlDatabase {
  provider = 'postgres'
  adapterName = '@prisma/adapter-pg'
  #connection
  #pools = new Set()
  #shadows = new Set()

  /** @param {import('./arguments.mjs').Datasource} datasource */
  constructor({ url, shadowDatabaseUrl }) {
    if (shadowDatabaseUrl) {
      throw new Error('This schema engine makes its own shadow database: leave shadowDatabaseUrl unset.')
    }
    this.#connection = readConnection(url)
  }

  /** Connects, and creates the URL's schema when it is missing, as the native engine does. */
  async connect() {
    const { schema, config } = this.#connection
    const adapter = await this.#connectTo(config, schema)
    const create = `CREATE SCHEMA IF NOT EXISTS ${pg.escapeIdentifier(schema)}`
    if (!(await hasSchema(adapter.underlyingDriver(), schema))) await adapter.executeScript(create)
    return adapter
  }

  /** A database of its own, dropped when the engine is done with it. */
  async connectToShadowDb() {
    const { config } = this.#connection
    const name = `${SHADOW_PREFIX}${randomUUID()}`
    await this.#maintain(`CREATE DATABASE ${pg.escapeIdentifier(name)}`).catch((error) => {
      throw shadowDatabaseFailed(error)
    })
    this.#shadows.add(name)
    const adapter = await this.#connectTo({ ...config, database: name }, undefined)
    const { dispose } = adapter
    adapter.dispose = async () => {
      await dispose.call(adapter)
      await this.#dropShadow(name)
    }
    return adapter
  }

  /** @throws `P1003` for a database that does not exist, `P1001` for a server that does not answer, and their like */
  async canConnect() {
    const client = await connectClient(this.#connection.config)
    await client.end()
  }

  async create() {
    const { database } = this.#connection.config
    try {
      await this.#maintain(`CREATE DATABASE ${pg.escapeIdentifier(database)}`)
    } catch (error) {
      throw error.code === DUPLICATE_DATABASE ? databaseExists(database) : error
    }
  }

  async drop() {
    const { database } = this.#connection.config
    try {
      await this.#maintain(`DROP DATABASE ${pg.escapeIdentifier(database)}`)
    } catch (error) {
      throw error.code === UNKNOWN_DATABASE ? databaseDoesNotExist(database) : error
    }
  }

  /** Nothing to do: on PostgreSQL the engine's own reset drops the schema with all that it holds. */
  async dropContents() {}

  async endCall() {
    for (const name of this.#shadows) await this.#dropShadow(name)
  }

  async dispose() {
    await Promise.all([...this.#pools].map((pool) => this.#close(pool)))
    await this.endCall()
  }

  /** One connection, kept open: the engine's advisory lock belongs to the connection that took it. */
  async #connectTo(config, schema) {
    const pool = new pg.Pool({ ...config, max: 1, idleTimeoutMillis: 0 })
    await this.#ping(pool, config)
    this.#pools.add(pool)
    const adapter = presentAsNative(await new PrismaPg(pool, { schema }).connect())
    adapter.dispose = () => this.#close(pool)
    return adapter
  }

  async #ping(pool, config) {
    try {
      await pool.query('SELECT 1')
    } catch (error) {
      await pool.end()
      throw explain(error, config)
    }
  }

  async #close(pool) {
    if (this.#pools.delete(pool)) await pool.end()
  }

  async #dropShadow(name) {
    // FORCE, since a connection that was cut off may still be in the server's list.
    await this.#maintain(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`)
    this.#shadows.delete(name)
  }

  /** Runs a statement in the first maintenance database that exists. */
  async #maintain(sql) {
    const [first, second] = MAINTENANCE_DATABASES
    const { config } = this.#connection
    const client = await connectClient({ ...config, database: first }).catch((error) => {
      if (error.prismaCode !== 'P1003') throw error
      return connectClient({ ...config, database: second })
    })
    await client.query(sql).finally(() => client.end())
  }
}

/**
 * @param {pg.ClientConfig} config
 * @throws a `PrismaError` where the failure has one of Prisma's codes
 */
async function connectClient(config) {
  const client = new pg.Client(config)
  // A connection that breaks is reported by the query on it; without a listener it would end the process as well.
  client.on('error', () => {})
  try {
    await client.connect()
    return client
  } catch (error) {
    await client.end().catch(() => {})
    throw explain(error, config)
  }
}

/** @param {pg.Pool} pool @param {string} schema */
async function hasSchema(pool, schema) {
  const { rowCount } = await pool.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema])
  return rowCount > 0
}
