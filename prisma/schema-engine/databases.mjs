import { invalidUrl } from './errors.mjs'

/** @typedef {import('./arguments.mjs').Datasource} Datasource */
/** @typedef {'sqlite' | 'postgresql'} Provider */

/**
 * A database as the bridge needs it. `connect` and `connectToShadowDb` are the engine's adapter factory; `dropContents`
 * leaves an empty database; `endCall` ends what belongs to one call of the engine (its lock, its shadow databases),
 * `dispose` everything.
 * @typedef {import('@prisma/driver-adapter-utils').SqlMigrationAwareDriverAdapterFactory & {
 *   canConnect(): Promise<void>,
 *   create(): Promise<void>,
 *   drop(): Promise<void>,
 *   dropContents(): Promise<void>,
 *   endCall(): Promise<void>,
 *   dispose(): Promise<void>,
 * }} Database
 */

/** Drivers are loaded when they are needed: each is a good part of a command's time. */
const KNOWN = {
  sqlite: {
    open: async (datasource) => new (await import('./sqlite.mjs')).SqliteDatabase(datasource),
    protocols: ['file:'],
  },
  postgresql: {
    open: async (datasource) => new (await import('./postgresql.mjs')).PostgresqlDatabase(datasource),
    protocols: ['postgresql:', 'postgres:'],
  },
}
const PROVIDER_OF_SCHEMA = /^\s*datasource\s+\w+\s*\{[^}]*?\bprovider\s*=\s*"(\w+)"/m
const PROVIDER_OF_LOCKFILE = /^\s*provider\s*=\s*"(\w+)"/m

/**
 * The database that a datasource names, without connecting to it. The provider is what the schema says, and the URL
 * must then be of that kind; without a schema the URL decides.
 * @param {Datasource} datasource
 * @param {string} [provider]
 * @returns {Promise<Database>}
 */
export async function openDatabase(datasource, provider = providerOfUrl(datasource.url)) {
  if (!(provider in KNOWN)) throw new Error(`This schema engine serves SQLite and PostgreSQL, not ${provider}.`)
  const { open, protocols } = KNOWN[provider]
  if (datasource.url && !protocols.some((protocol) => datasource.url.startsWith(protocol))) {
    throw invalidUrl(`The URL of a ${provider} datasource must start with ${protocols.join(' or ')}.`)
  }
  return open(datasource)
}

/**
 * @param {string | undefined} url
 * @returns {Provider}
 */
function providerOfUrl(url) {
  const known = Object.entries(KNOWN).find(([, { protocols }]) => protocols.some((start) => url?.startsWith(start)))
  if (!known) throw invalidUrl('The URL must start with file:, postgresql: or postgres:.')
  return known[0]
}

/**
 * The provider that a schema's `datasource` block names, undefined when there is none.
 * @param {string} schema
 */
export function providerOfSchema(schema) {
  return PROVIDER_OF_SCHEMA.exec(schema)?.[1]
}

/**
 * The provider that a `migration_lock.toml` names, undefined when there is none.
 * @param {string | null | undefined} lockfile
 */
export function providerOfLockfile(lockfile) {
  return PROVIDER_OF_LOCKFILE.exec(lockfile ?? '')?.[1]
}
