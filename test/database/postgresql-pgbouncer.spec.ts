import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { PostgresqlDatabase } from '../../src/database/postgresql/postgresql-database.js'
import { PostgresqlMigrationStore } from '../../src/database/postgresql/postgresql-migration-store.js'
import { aPersona } from '../processes/a-persona.js'
import { Sandbox } from '../processes/sandbox.js'
import { Ledger, type LedgerRow } from '../proof/ledger.js'
import { Load } from '../proof/load.js'
import { postgresqlOptions } from '../support/databases.js'
import { EventListener } from '../support/event-listener.js'
import { migrationScript } from '../support/migrations.js'
import { findPgbouncer, Pgbouncer } from '../support/pgbouncer.js'
import { sharedPostgres } from '../support/postgres.js'

const SERVER_CONNECTIONS = 3
const WORKERS = 2
const WRITERS = 12
/** How often a worker looks for what nobody has told it of. */
const LOOK_EVERY_MS = 1_000
const WRITES_IN_TURN = 5

const program = findPgbouncer()
if (!program) process.stderr.write('SKIPPED: there is no pgbouncer, and Debian packages cannot be downloaded here\n')

const describeWithPgbouncer = program ? describe : describe.skip
describeWithPgbouncer('PostgreSQL behind PgBouncer in transaction mode', () => {
  const sandbox = new Sandbox()
  let direct: string
  let bouncer: Pgbouncer
  let client: pg.Client

  beforeAll(async () => {
    const server = await sharedPostgres()
    direct = await server.createDatabase()
    client = new pg.Client({ connectionString: direct })
    await client.connect()
    if (program) bouncer = await Pgbouncer.start(program, server.port, SERVER_CONNECTIONS)
  })
  afterEach(() => sandbox.clear())
  afterAll(async () => {
    await client.end()
    await bouncer.stop()
  })

  it("does not migrate through it, where a lock of a session is nobody's", async () => {
    const store = new PostgresqlMigrationStore(bouncer.urlOf(direct))
    await expect(store.exclusively(() => Promise.resolve())).rejects.toThrow('set DATABASE_DIRECT_URL')
  })

  it('migrates directly, serves more clients than there are connections to the server, loses nothing, and tells of it', async () => {
    const env = { DATABASE_URL: bouncer.urlOf(direct), DATABASE_DIRECT_URL: direct }
    const server = await sandbox.start({ workers: WORKERS, env })
    const listener = await EventListener.open(server.url)
    const ledger = new Ledger()
    const load = new Load({ ledger, writers: WRITERS, connect: () => sandbox.connect(server), name: 'Bouncer' })
    await load.progress(200)
    await load.stop()
    expect(ledger.total('refused') + ledger.total('unknown')).toBe(0)
    const { rows } = await client.query<LedgerRow>('SELECT id, name, generation_count FROM personas')
    expect(ledger.judgeRows(rows)).toEqual([])
    const sessions = await client.query('SELECT 1 FROM pg_stat_activity WHERE datname = current_database()')
    // Past it go this client, the connection that listens, and from each worker the look at the API keys.
    expect(sessions.rows.length).toBeLessThanOrEqual(SERVER_CONNECTIONS + 2 + WORKERS)

    const { rows: revisions } = await client.query<{ seq: string }>('SELECT seq FROM persona_revisions ORDER BY seq')
    await listener.received(revisions.length)
    const told = listener.changes.map(({ id }) => id.split('-')[1])
    expect(told).toEqual(revisions.map(({ seq }) => seq))
    // It is woken by what goes through the pooler, too.
    const connection = sandbox.connect(server)
    const start = performance.now()
    for (let n = 1; n <= WRITES_IN_TURN; n++) {
      expect((await connection.create(aPersona())).status).toBe(201)
      await listener.received(revisions.length + n)
    }
    expect(performance.now() - start).toBeLessThan(WRITES_IN_TURN * LOOK_EVERY_MS * 0.5)
    listener.close()
  })

  it('keeps transactions whole that share the connections', async () => {
    await client.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
    await client.query(migrationScript('postgresql'))
    await client.query(
      `INSERT INTO personas (id, name, appearance, personality, created_at, updated_at) VALUES ('one', 'n', 'a', 'p', now(), now())`,
    )
    const databases = Array.from({ length: 2 }, () => PostgresqlDatabase.open(postgresqlOptions(bouncer.urlOf(direct))))
    const addTwice = (database: PostgresqlDatabase) =>
      database.transaction(async (transaction) => {
        const where = { id: 'one' }
        const { generationCount } = await transaction.persona.update({ where, data: { version: { increment: 1 } } })
        await transaction.persona.update({ where, data: { generationCount: generationCount + 1 } })
      })
    await Promise.all(Array.from({ length: 40 }, (_value, n) => addTwice(databases[n % 2] as PostgresqlDatabase)))
    const { rows } = await client.query('SELECT generation_count, version FROM personas')
    expect(rows).toEqual([{ generation_count: 40, version: 41 }])
    await Promise.all(databases.map((database) => database.close()))
  })
})
