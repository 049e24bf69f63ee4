import { chownSync, copyFileSync, chmodSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { DatabaseUnavailableError } from '../../src/database/database-errors.js'
import { deployMigrations } from '../../src/database/migrations/deploy.js'
import { readMigrationFiles } from '../../src/database/migrations/migration-files.js'
import { PostgresqlDatabase } from '../../src/database/postgresql/postgresql-database.js'
import { checkServer } from '../../src/database/postgresql/server-check.js'
import { PostgresqlMigrationStore } from '../../src/database/postgresql/postgresql-migration-store.js'
import { postgresqlOptions } from '../support/databases.js'
import { migrationScript } from '../support/migrations.js'
import { type PostgresServer, startPostgres } from '../support/postgres.js'

const MIGRATIONS = readMigrationFiles('postgresql').length
const CERTIFICATES = join(process.cwd(), 'test', 'support', 'tls')
const CA = join(CERTIFICATES, 'ca.pem')
const OTHER_CA = join(CERTIFICATES, 'server.pem')

describe('PostgreSQL over TLS', () => {
  let server: PostgresServer
  let admin: pg.Client

  beforeAll(async () => {
    server = await startPostgres()
    const { uid, gid } = statSync(server.dataDirectory)
    for (const [from, to] of [
      ['server.pem', 'server.crt'],
      ['server.key', 'server.key'],
    ] as const) {
      const file = join(server.dataDirectory, to)
      copyFileSync(join(CERTIFICATES, from), file)
      // A key that others may read is refused by the server.
      chmodSync(file, 0o600)
      chownSync(file, uid, gid)
    }
    admin = new pg.Client({ connectionString: server.adminUrl })
    await admin.connect()
    await admin.query(migrationScript('postgresql'))
    await admin.query('ALTER SYSTEM SET ssl = on')
    await admin.query('SELECT pg_reload_conf()')
  })
  afterAll(async () => {
    await admin.end()
    await server.stop('immediate')
  })

  const urlOf = (host: string, parameters: Record<string, string>) => {
    const url = new URL(server.adminUrl)
    url.hostname = host
    url.search = new URLSearchParams(parameters).toString()
    return url.href
  }
  /** How many of the database's own connections are encrypted, after a read and a write. */
  const connectionsOf = async (url: string) => {
    const database = PostgresqlDatabase.open(postgresqlOptions(url))
    try {
      await database.probe()
      await database.write((client) => client.persona.updateMany({ data: { name: 'nobody' } }))
      const { rows } = await admin.query<{ ssl: boolean }>(
        `SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'gator-personas'`,
      )
      return rows.map(({ ssl }) => ssl)
    } finally {
      await database.close()
    }
  }

  it.each([
    ['localhost', { sslmode: 'disable' }, false],
    ['localhost', { sslmode: 'require' }, true],
    ['localhost', { sslmode: 'require', sslrootcert: CA }, true],
    ['127.0.0.1', { sslmode: 'verify-ca', sslrootcert: CA }, true],
    ['localhost', { sslmode: 'verify-full', sslrootcert: CA }, true],
  ])('connects to %s with %j', async (host, parameters, isEncrypted) => {
    expect(await connectionsOf(urlOf(host, parameters))).toEqual([isEncrypted, isEncrypted])
  })

  it.each([
    ['localhost', { sslmode: 'require', sslrootcert: OTHER_CA }],
    ['localhost', { sslmode: 'verify-ca', sslrootcert: OTHER_CA }],
    // The certificate is for the name.
    ['127.0.0.1', { sslmode: 'verify-full', sslrootcert: CA }],
    // No public CA has signed it.
    ['localhost', { sslmode: 'verify-full' }],
  ])('does not connect to %s with %j', async (host, parameters) => {
    await expect(connectionsOf(urlOf(host, parameters))).rejects.toBeInstanceOf(DatabaseUnavailableError)
  })

  it('asks the migrations and the check at the start in the same way', async () => {
    const good = urlOf('localhost', { sslmode: 'verify-full', sslrootcert: CA })
    const bad = urlOf('localhost', { sslmode: 'verify-full', sslrootcert: OTHER_CA })
    await expect(new PostgresqlMigrationStore(good).readApplied()).resolves.toHaveLength(MIGRATIONS)
    await expect(new PostgresqlMigrationStore(bad).readApplied()).rejects.toThrow(/certificate/)
    await expect(checkServer(good, 1, 10)).resolves.toMatchObject({ refusal: undefined })
    await expect(checkServer(bad, 1, 10)).rejects.toThrow(/certificate/)
  })

  it('carries the migrations of the command line', async () => {
    await admin.query('CREATE DATABASE migrated')
    const url = new URL(urlOf('localhost', { sslmode: 'verify-full', sslrootcert: CA }))
    url.pathname = '/migrated'
    await deployMigrations(url.href)
    await expect(new PostgresqlMigrationStore(url.href).readApplied()).resolves.toHaveLength(MIGRATIONS)
    url.searchParams.set('sslrootcert', OTHER_CA)
    await expect(deployMigrations(url.href)).rejects.toThrow(/certificate/)
  })

  it('says which certificate file it cannot read', () => {
    const url = urlOf('localhost', { sslmode: 'verify-full', sslrootcert: '/nowhere/ca.pem' })
    expect(() => PostgresqlDatabase.open(postgresqlOptions(url))).toThrow('/nowhere/ca.pem')
  })
})
