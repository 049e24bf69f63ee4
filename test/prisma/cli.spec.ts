import { chmodSync, cpSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { startPostgres, type PostgresServer } from '../support/postgres.js'
import { ProjectCopy, type Provider } from './command-line.js'
import { openDatabase } from './database.js'

/** Two `migrate dev` and what comes before and after them: each command is a process or two. */
const SEVERAL_COMMANDS_MS = 60_000

const INITIAL_MIGRATION = '20261123000000_create_personas'
const CHECK = 'personas_version_check'
const SCHEMAS = { sqlite: 'prisma/schema.prisma', postgresql: 'prisma/derived/postgresql.prisma' }

let server: PostgresServer
let project: ProjectCopy
/** Where the database of each kind was deployed that {@link deployedUrl} copies. */
const deployments = new Map<Provider, { readonly project: ProjectCopy; readonly url: string }>()

beforeAll(async () => {
  server = await startPostgres()
})
afterAll(async () => {
  for (const deployment of deployments.values()) deployment.project.remove()
  await server.stop()
})
beforeEach(() => {
  project = new ProjectCopy()
})
afterEach(() => project.remove())

/** The URL of a database that exists on PostgreSQL and not yet on SQLite, where each command creates it. */
async function databaseUrl(provider: Provider): Promise<string> {
  return provider === 'sqlite' ? project.sqliteUrl() : server.createDatabase()
}

/** The URL of a copy of a database to which `migrate deploy` has been: a command takes long, so it runs once. */
async function deployedUrl(provider: Provider): Promise<string> {
  const { project: origin, url } = deployments.get(provider) ?? (await deploy(provider))
  if (provider === 'postgresql') return server.createDatabase(new URL(url).pathname.slice(1))
  cpSync(join(origin.folder, 'databases'), join(project.folder, 'databases'), { recursive: true })
  return project.sqliteUrl()
}

async function deploy(provider: Provider): Promise<{ readonly project: ProjectCopy; readonly url: string }> {
  const origin = new ProjectCopy()
  const url = provider === 'sqlite' ? origin.sqliteUrl() : await server.createDatabase()
  const deployment = { project: origin, url }
  deployments.set(provider, deployment)
  const { code, output } = await origin.prisma(url, ['migrate', 'deploy'])
  if (code !== 0) throw new Error(output)
  return deployment
}

/** The names of the server's databases that a shadow database's would be among. */
async function shadowDatabases(): Promise<unknown[]> {
  const admin = await openDatabase('postgresql', server.adminUrl)
  try {
    return await admin.query(`SELECT datname FROM pg_database WHERE datname LIKE 'prisma_migrate_shadow%'`)
  } finally {
    await admin.close()
  }
}

describe.each<Provider>(['sqlite', 'postgresql'])('prisma on %s', (provider) => {
  it('validates the schema', async () => {
    const outcome = await project.prisma(await databaseUrl(provider), ['validate'])
    expect(outcome).toMatchObject({ code: 0, output: expect.stringContaining('is valid') })
  })

  it('generates the client', async () => {
    const outcome = await project.prisma(await databaseUrl(provider), ['generate'])
    expect(outcome.code).toBe(0)
    expect(existsSync(join(project.folder, 'src', 'generated', provider, 'client.ts'))).toBe(true)
  })

  it('deploys once, even twice at the same time, and says when it is behind or up to date', async () => {
    const url = await databaseUrl(provider)
    if (provider === 'sqlite') project.write(join('databases', 'test.db'), '')
    expect(await project.prisma(url, ['migrate', 'status'])).toMatchObject({
      code: 1,
      output: expect.stringContaining('have not yet been applied'),
    })
    const deploys = [project.prisma(url, ['migrate', 'deploy']), project.prisma(url, ['migrate', 'deploy'])]
    const outcomes = await Promise.all(deploys)
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0])
    // One of them waits for the other.
    for (const text of ['All migrations have been successfully applied', 'No pending migrations']) {
      expect(outcomes).toContainEqual(expect.objectContaining({ output: expect.stringContaining(text) }))
    }
    const database = await openDatabase(provider, url)
    const applied = await database.query('SELECT migration_name FROM _prisma_migrations')
    expect(applied).toHaveLength(project.migrationNames(provider).length)
    await database.close()
    expect(await project.prisma(url, ['migrate', 'status'])).toMatchObject({
      code: 0,
      output: expect.stringContaining('up to date'),
    })
  })

  it(
    'makes two migrations in a row; the second adds a column and keeps data and CHECK constraints',
    async () => {
      const url = await databaseUrl(provider)
      const first = await project.prismaOnTerminal(url, ['migrate', 'dev', '--name', 'first'])
      expect(first).toMatchObject({ code: 0, output: expect.stringContaining(INITIAL_MIGRATION) })

      project.addField('nickname String?')
      const second = await project.prismaOnTerminal(url, ['migrate', 'dev', '--name', 'add_nickname'])
      expect(second).toMatchObject({ code: 0, output: expect.stringContaining('now in sync with your schema') })

      const added = readdirSync(project.migrations(provider)).filter((name) => name.endsWith('_add_nickname'))
      expect(added).toHaveLength(1)
      const database = await openDatabase(provider, url)
      expect(await database.query('SELECT nickname FROM personas')).toEqual([])
      expect(await database.checks()).toContain(CHECK)
      await database.close()
      expect(await shadowDatabases()).toEqual([])
    },
    SEVERAL_COMMANDS_MS,
  )

  it('says that an applied migration was edited', async () => {
    const url = await deployedUrl(provider)
    const path = join('prisma', 'migrations', provider, INITIAL_MIGRATION, 'migration.sql')
    project.write(path, `${project.read(path)}\n-- edited\n`)
    const status = await project.prisma(url, ['migrate', 'status'])
    expect(status.output).toMatch(new RegExp(`Edited after they had been applied[^]*${INITIAL_MIGRATION}`))
    const dev = await project.prismaOnTerminal(url, ['migrate', 'dev', '--name', 'x'])
    expect(dev.output).toContain('was modified after it was applied')
  })

  it('resets a database with contents of its own, while another process has it open', async () => {
    const url = await deployedUrl(provider)
    const other = await openDatabase(provider, url)
    if (provider === 'sqlite') {
      await other.query('PRAGMA journal_mode = WAL')
      await other.query('CREATE VIRTUAL TABLE own_index USING fts5(text)')
    }
    await other.query('CREATE TABLE "own; table" (id integer primary key, text text)')
    await other.query('CREATE VIEW own_view AS SELECT * FROM "own; table"')

    const outcome = await project.prisma(url, ['migrate', 'reset', '--force'])
    expect(outcome).toMatchObject({ code: 0, output: expect.stringContaining('Database reset successful') })
    const models = [
      'api_keys',
      'change_feed',
      'idempotency_keys',
      'persona_counts',
      'persona_revisions',
      'persona_terms',
      'personas',
      'personas_unindexed',
    ]
    expect(await other.tables()).toEqual(['_prisma_migrations', ...models])
    if (provider === 'sqlite') expect(await other.query('PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }])
    await other.close()
  })

  it('answers diff --exit-code with 0 for no difference and 2 for one', async () => {
    const url = await deployedUrl(provider)
    const diff = ['migrate', 'diff', '--from-config-datasource', '--to-schema', SCHEMAS[provider], '--exit-code']
    expect(await project.prisma(url, diff)).toMatchObject({ code: 0 })

    project.addField('nickname String?')
    expect(await project.prisma(url, [...diff, '--script'])).toMatchObject({
      code: 2,
      output: expect.stringMatching(/ALTER TABLE "personas" ADD COLUMN\s+"nickname" TEXT/),
    })
    expect(await shadowDatabases()).toEqual([])
  })

  it('runs scripts of several statements whole, semicolons in texts included', async () => {
    const url = await databaseUrl(provider)
    const script = `CREATE TABLE t (x text); INSERT INTO t VALUES ('a;b'); -- the end; really\n`
    project.writeMigration(provider, '20270101000000_semicolons', script)
    expect(await project.prisma(url, ['migrate', 'deploy'])).toMatchObject({ code: 0 })

    const file = project.write('script.sql', script.replaceAll(' t ', ' u '))
    expect(await project.prisma(url, ['db', 'execute', '--file', file])).toMatchObject({ code: 0 })
    const database = await openDatabase(provider, url)
    expect(await database.query('SELECT t.x AS t, u.x AS u FROM t, u')).toEqual([{ t: 'a;b', u: 'a;b' }])
    await database.close()
  })

  it('reports a migration that fails, without a stack, and leaves no shadow database', async () => {
    const url = await databaseUrl(provider)
    project.writeMigration(provider, '20270101000000_broken', 'CREATE TABLE t (x int); INSERT INTO nowhere VALUES (1);')
    const deployed = await project.prisma(url, ['migrate', 'deploy'])
    expect(deployed).toMatchObject({ code: 1, output: expect.stringContaining('nowhere') })
    expect(deployed.output).not.toMatch(/\n\s+(at |\d+: )/)

    const developed = await project.prismaOnTerminal(url, ['migrate', 'dev', '--name', 'x'])
    expect(developed.output).toContain('P3006')
    expect(developed.output).toContain('20270101000000_broken')
    expect(developed.output).not.toMatch(/\n\s+(at |\d+: )|External error/)
    expect(await shadowDatabases()).toEqual([])
  })
})

describe('what is particular to SQLite', () => {
  it('loses the CHECK constraints of a table that a migration redefines', async () => {
    const url = await deployedUrl('sqlite')
    // SQLite cannot change a column's default in place: Prisma makes a new table from what it knows of the old one.
    const path = join('prisma', 'schema.prisma')
    project.write(path, project.read(path).replace('@default(1)', '@default(2)'))
    const outcome = await project.prismaOnTerminal(url, ['migrate', 'dev', '--name', 'redefine'])
    expect(outcome.code).toBe(0)
    const database = await openDatabase('sqlite', url)
    expect((await database.checks()).filter((name) => name.startsWith('personas_'))).toEqual([])
    await database.close()
  })

  it('reads a history with timestamps of either form, and writes milliseconds', async () => {
    const url = await deployedUrl('sqlite')
    const database = await openDatabase('sqlite', url)
    const types = 'SELECT typeof(started_at) AS started, typeof(finished_at) AS finished FROM _prisma_migrations'
    expect(new Set((await database.query(types)).map((row) => JSON.stringify(row)))).toEqual(
      new Set([JSON.stringify({ started: 'integer', finished: 'integer' })]),
    )
    const iso = `strftime('%Y-%m-%dT%H:%M:%f+00:00', started_at / 1000, 'unixepoch')`
    await database.query(`UPDATE _prisma_migrations SET started_at = ${iso}, finished_at = ${iso}`)
    await database.close()
    expect(await project.prisma(url, ['migrate', 'status'])).toMatchObject({ code: 0 })
    expect(await project.prisma(url, ['migrate', 'deploy'])).toMatchObject({ code: 0 })
  })
})

describe('what is particular to PostgreSQL', () => {
  it('creates a database that does not exist', async () => {
    const url = new URL(server.adminUrl)
    url.pathname = '/made_by_deploy'
    expect((await project.prisma(url.href, ['migrate', 'status'])).output).toContain('P1003')
    expect(await project.prisma(url.href, ['migrate', 'deploy'])).toMatchObject({
      code: 0,
      output: expect.stringContaining('PostgreSQL database made_by_deploy created'),
    })
  })

  it('says P1001 when the server does not answer, and P1000 or P1010 when it refuses the user', async () => {
    const nowhere = await project.prisma('postgresql://user@127.0.0.1:1/x', ['migrate', 'deploy'])
    expect(nowhere).toMatchObject({ code: 1, output: expect.stringContaining('P1001') })
    const stranger = new URL(server.adminUrl)
    stranger.username = 'nobody_known'
    stranger.password = 'a-secret'
    const refused = await project.prisma(stranger.href, ['migrate', 'deploy'])
    expect(refused).toMatchObject({ code: 1, output: expect.stringMatching(/P1000|P1010/) })
    expect(refused.output).not.toContain('a-secret')
  })
})

describe('the engine', () => {
  it('reports a panic of the engine as an error', async () => {
    const panic = { FORCE_PANIC_SCHEMA_ENGINE: '1' }
    const outcome = await project.prisma(project.sqliteUrl(), ['migrate', 'deploy'], panic)
    expect(outcome).toMatchObject({ code: 1, output: expect.stringContaining('The schema engine panicked') })
  })

  it('is the one that PRISMA_SCHEMA_ENGINE_BINARY names', async () => {
    const called = join(project.folder, 'called')
    const engine = project.write(
      'engine.mjs',
      `#!/usr/bin/env node
      import { writeFileSync } from 'node:fs'
      writeFileSync(${JSON.stringify(called)}, process.argv.slice(2).join(' '))
      process.exit(1)
    `,
    )
    chmodSync(engine, 0o755)
    await project.prisma(project.sqliteUrl(), ['migrate', 'deploy'], { PRISMA_SCHEMA_ENGINE_BINARY: engine })
    expect(readFileSync(called, 'utf8')).toContain('can-connect-to-database')
  })

  it('has the version that the command line was made for', async () => {
    const outcome = await project.prisma(project.sqliteUrl(), ['version', '--json'])
    const json = JSON.parse(outcome.output.slice(outcome.output.indexOf('{'))) as Record<string, string>
    expect(json['schema-engine']).toContain(`.${json['default-engines-hash']}`)
  })
})
