import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import type { Database } from '../../src/database/database.js'
import {
  DatabaseAwayError,
  DatabaseUnavailableError,
  WriteLockTimeoutError,
  WriteOutcomeUnknownError,
  WriteQueueFullError,
} from '../../src/database/database-errors.js'
import {
  PostgresqlDatabase,
  type PostgresqlDatabaseOptions,
} from '../../src/database/postgresql/postgresql-database.js'
import type { RefusedWrite } from '../../src/database/observer.js'
import { until } from '../processes/until.js'
import { databases, postgresqlOptions, type TestDatabase } from '../support/databases.js'
import { migrationScript } from '../support/migrations.js'
import { aPersonaRow } from '../support/persona-rows.js'
import { startPostgres } from '../support/postgres.js'
import { TcpProxy } from '../support/tcp-proxy.js'

const ID = '019aaf3e-8f63-7b12-9d3c-2f1f5d0c8a11'
const OTHER_ID = '019aaf3e-8f63-7b12-9d3c-2f1f5d0c8a12'
const rename = (database: Database, id = ID, name = 'changed') =>
  database.write((client) => client.persona.updateMany({ where: { id }, data: { name } }))
const nameOf = async (database: Database, id = ID) =>
  (await database.read((client) => client.persona.findUnique({ where: { id } })))?.name

describe('PostgreSQL', () => {
  let temporary: TestDatabase
  let admin: pg.Client
  const opened: Database[] = []
  const proxies: TcpProxy[] = []

  beforeAll(async () => {
    temporary = await databases.PostgreSQL()
    const database = await temporary.connect()
    for (const id of [ID, OTHER_ID])
      await database.write((client) => client.persona.create({ data: aPersonaRow({ id }) }))
    await database.close()
    admin = new pg.Client({ connectionString: temporary.url })
    await admin.connect()
  })
  afterEach(async () => {
    await Promise.all(proxies.splice(0).map((proxy) => proxy.close()))
    await Promise.all(opened.splice(0).map((database) => database.close()))
  })
  afterAll(async () => {
    await admin.end()
    await temporary.remove()
  })

  const open = (options: Partial<PostgresqlDatabaseOptions> = {}, url = temporary.url) => {
    const database = PostgresqlDatabase.open(postgresqlOptions(url, options))
    opened.push(database)
    return database
  }
  const proxied = async () => {
    const proxy = await TcpProxy.start(Number(new URL(temporary.url).port))
    proxies.push(proxy)
    return proxy
  }
  /** A foreign session that holds a row until it is told to let go. */
  const holdRow = async (id = ID): Promise<() => Promise<void>> => {
    const client = new pg.Client({ connectionString: temporary.url })
    await client.connect()
    await client.query('BEGIN')
    await client.query('SELECT 1 FROM personas WHERE id = $1 FOR UPDATE', [id])
    return () => client.end()
  }
  const sessionsWaiting = async () => {
    const { rows } = await admin.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
    return rows.map(({ pid }) => pid)
  }
  const waiting = (sessions: number) =>
    until(`${sessions} sessions wait for a lock`, async () => (await sessionsWaiting()).length === sessions)

  it.each([0, 100])('refuses a write whose row is locked for longer than %i ms', async (busyTimeoutMs) => {
    const refusals: RefusedWrite[] = []
    const outcomes: string[] = []
    const database = open({
      busyTimeoutMs,
      observer: {
        onRefused: (event) => refusals.push(event),
        onTransactionEnd: ({ kind, outcome }) => outcomes.push(`${kind} ${outcome}`),
      },
    })
    const release = await holdRow()
    await expect(rename(database)).rejects.toBeInstanceOf(WriteLockTimeoutError)
    await release()
    await expect(rename(database)).resolves.toEqual({ count: 1 })
    expect(refusals.map(({ reason }) => reason)).toEqual(['lock-timeout'])
    expect(refusals[0]?.lockMs).toBeGreaterThanOrEqual(busyTimeoutMs)
    expect(outcomes).toEqual(['write rollback', 'write commit'])
  })

  it('reads while every writing connection waits, and bounds the queue behind them', async () => {
    const reasons: string[] = []
    const observer = { onRefused: ({ reason }: RefusedWrite) => reasons.push(reason) }
    const database = open({ poolSize: 4, writeQueueLimit: 3, observer })
    const release = await holdRow()
    const writes = Array.from({ length: 5 }, () => rename(database))
    await waiting(2)
    await expect(rename(database)).rejects.toBeInstanceOf(WriteQueueFullError)
    expect([reasons, database.waitingWrites]).toEqual([['queue-full'], 3])
    await expect(database.probe()).resolves.toBeUndefined()
    await release()
    await expect(Promise.all(writes)).resolves.toHaveLength(5)
  })

  it('refuses a write that found no free connection within the busy timeout', async () => {
    const refusals: RefusedWrite[] = []
    const observer = { onRefused: (event: RefusedWrite) => refusals.push(event) }
    const limits = { busyTimeoutMs: 200, idleTimeoutMs: 20_000, transactionTimeoutMs: 20_000 }
    const database = open({ poolSize: 2, ...limits, observer })
    let refused: unknown
    await database.transaction(async (client) => {
      await client.persona.updateMany({ where: { id: ID }, data: { name: 'held' } })
      // Its row is free: it waits for the one connection that writes.
      refused = await rename(database, OTHER_ID).catch((error: unknown) => error)
    })
    expect(refused).toBeInstanceOf(WriteLockTimeoutError)
    expect(refusals).toEqual([{ reason: 'lock-timeout', waitedMs: expect.any(Number) }])
    await expect(rename(database, OTHER_ID)).resolves.toEqual({ count: 1 })
  })

  it('reads on connections that cannot write', async () => {
    const database = open()
    await expect(
      database.read((client) => client.persona.updateMany({ where: { id: ID }, data: { name: 'read' } })),
    ).rejects.toBeInstanceOf(DatabaseUnavailableError)
    expect(await nameOf(database)).not.toBe('read')
  })

  it('makes both of two transactions that deadlock', async () => {
    const database = open()
    let arrived = 0
    let attempts = 0
    const swap = (first: string, second: string) =>
      database.transaction(async (client) => {
        attempts += 1
        await client.persona.updateMany({ where: { id: first }, data: { generationCount: { increment: 1 } } })
        arrived += 1
        await until('both hold a row', () => arrived >= 2)
        await client.persona.updateMany({ where: { id: second }, data: { generationCount: { increment: 1 } } })
      })
    await Promise.all([swap(ID, OTHER_ID), swap(OTHER_ID, ID)])
    // One of them at least was rolled back and made again; on a busy machine both may have been.
    expect(attempts).toBeGreaterThanOrEqual(3)
    const rows = await database.read((client) => client.persona.findMany({ select: { generationCount: true } }))
    expect(rows).toEqual([{ generationCount: 2 }, { generationCount: 2 }])
  })

  it('makes a write again that could not be serialized', async () => {
    const url = new URL(temporary.url)
    url.searchParams.set('options', '-c default_transaction_isolation=serializable')
    const database = open({}, url.href)
    const before = (await database.read((client) => client.persona.findUnique({ where: { id: ID } })))?.generationCount
    const release = await holdRow()
    const counts = Array.from({ length: 4 }, () =>
      database.write((client) =>
        client.persona.updateMany({ where: { id: ID }, data: { generationCount: { increment: 1 } } }),
      ),
    )
    await waiting(4)
    await release()
    await Promise.all(counts)
    const after = (await database.read((client) => client.persona.findUnique({ where: { id: ID } })))?.generationCount
    expect(after).toBe((before ?? NaN) + 4)
  })

  it('rolls back a transaction that stays idle, and goes on', async () => {
    const database = open({ idleTimeoutMs: 100, poolSize: 2 })
    const idle = database.transaction(async (client) => {
      await client.persona.updateMany({ where: { id: ID }, data: { name: 'idle' } })
      await until('the server has ended the session', async () => {
        const { rows } = await admin.query(`SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction'`)
        return rows.length === 0
      })
      await client.persona.updateMany({ where: { id: ID }, data: { name: 'late' } })
    })
    await expect(idle).rejects.toBeInstanceOf(DatabaseUnavailableError)
    expect(await nameOf(database)).not.toMatch(/idle|late/)
    await expect(rename(database)).resolves.toEqual({ count: 1 })
  })

  it('says that the outcome is not known when the connection is lost under a write, and makes it once at most', async () => {
    const database = open()
    const release = await holdRow()
    const write = rename(database, ID, 'unknown')
    await waiting(1)
    const refused = expect(write).rejects.toBeInstanceOf(WriteOutcomeUnknownError)
    for (const pid of await sessionsWaiting()) await admin.query('SELECT pg_terminate_backend($1)', [pid])
    await refused
    await release()
    expect(await nameOf(database)).not.toBe('unknown')
    await expect(rename(database)).resolves.toEqual({ count: 1 })
  })

  it('knows that nothing was written when the connection is lost in a transaction before its COMMIT', async () => {
    const database = open()
    const release = await holdRow()
    const transaction = database.transaction((client) =>
      client.persona.updateMany({ where: { id: ID }, data: { name: 'lost' } }),
    )
    await waiting(1)
    const refused = expect(transaction).rejects.toBeInstanceOf(DatabaseUnavailableError)
    for (const pid of await sessionsWaiting()) await admin.query('SELECT pg_terminate_backend($1)', [pid])
    await refused
    await release()
    expect(await nameOf(database)).not.toBe('lost')
  })

  it('says that the outcome is not known when the connection is lost under the COMMIT of a transaction', async () => {
    // The COMMIT waits, for a lock that this session has.
    await admin.query(`
      CREATE FUNCTION wait_at_commit() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END';
      CREATE CONSTRAINT TRIGGER wait_at_commit AFTER UPDATE ON personas DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION wait_at_commit();
      SELECT pg_advisory_lock(1)`)
    const database = open()
    const transaction = database.transaction((client) =>
      client.persona.updateMany({ where: { id: ID }, data: { name: 'at commit' } }),
    )
    const refused = expect(transaction).rejects.toBeInstanceOf(WriteOutcomeUnknownError)
    await waiting(1)
    for (const pid of await sessionsWaiting()) await admin.query('SELECT pg_terminate_backend($1)', [pid])
    await refused
    await admin.query('SELECT pg_advisory_unlock(1); DROP TRIGGER wait_at_commit ON personas')
    expect(await nameOf(database)).not.toBe('at commit')
  })

  it('does not acknowledge what no replica has, when somebody cancels the wait for one', async () => {
    const server = await startPostgres({ settings: { synchronous_standby_names: 'nobody' } })
    const session = new pg.Client({ connectionString: server.adminUrl, options: '-c synchronous_commit=local' })
    await session.connect()
    try {
      await session.query(migrationScript('postgresql'))
      const database = open({}, server.adminUrl)
      const refused = expect(
        database.write((client) => client.persona.create({ data: aPersonaRow({ id: ID }) })),
      ).rejects.toBeInstanceOf(WriteOutcomeUnknownError)
      const cancelled = await until('the wait for a replica is cancelled', async () => {
        const { rows } = await session.query(
          `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`,
        )
        return rows.length > 0
      })
      expect(cancelled).toBe(true)
      await refused
    } finally {
      await session.end()
      await server.stop('immediate')
    }
  })

  it('gives up a connection that the network has forgotten, although new ones work', async () => {
    const proxy = await proxied()
    // One connection to read and one to write.
    const database = open({ busyTimeoutMs: 60_000, poolSize: 2 }, proxy.urlOf(temporary.url))
    await rename(database)
    // After the signal of the write, on the same connection.
    await database.probe()
    proxy.forget()
    const start = performance.now()
    const [read, write] = await Promise.allSettled([database.probe(), rename(database)])
    // Asked after every 2 s: the server does not work on what these connections wait for.
    expect(performance.now() - start).toBeLessThan(5_000)
    expect(read).toMatchObject({ reason: expect.any(DatabaseUnavailableError) })
    expect(write).toMatchObject({ reason: expect.any(WriteOutcomeUnknownError) })
    await expect(rename(database)).resolves.toEqual({ count: 1 })
  })

  it('reads on, without an error, when its idle connections were broken', async () => {
    const proxy = await proxied()
    const database = open({}, proxy.urlOf(temporary.url))
    await database.probe()
    proxy.drop()
    await expect(database.probe()).resolves.toBeUndefined()
  })

  it('refuses reads and writes in bounded time when the network swallows everything, and recovers with it', async () => {
    const proxy = await proxied()
    const database = open({ connectTimeoutMs: 500, busyTimeoutMs: 60_000 }, proxy.urlOf(temporary.url))
    await Promise.all([database.probe(), rename(database)])
    proxy.silence()
    const start = performance.now()
    const [read, write] = await Promise.allSettled([database.probe(), rename(database)])
    // Asked after twice at most (2 s each), then the time of a connection.
    expect(performance.now() - start).toBeLessThan(6_000)
    expect(read).toMatchObject({ reason: expect.any(DatabaseUnavailableError) })
    expect(write).toMatchObject({ reason: expect.any(WriteOutcomeUnknownError) })
    proxy.restore()
    await expect(database.probe()).resolves.toBeUndefined()
    await expect(rename(database)).resolves.toEqual({ count: 1 })
  })

  it('does not take a long wait for a lock for a dead network', async () => {
    const database = open({ busyTimeoutMs: 10_000 })
    const release = await holdRow()
    const start = performance.now()
    const write = rename(database)
    // Beyond the time after which it asks whether the server is there.
    await until('it has waited', () => performance.now() - start > 4_500)
    await release()
    await expect(write).resolves.toEqual({ count: 1 })
  })

  it('says that the database is unavailable when the server is gone', async () => {
    const server = await startPostgres()
    const database = open({}, server.adminUrl)
    await server.stop('immediate')
    await expect(database.probe()).rejects.toBeInstanceOf(DatabaseAwayError)
    await expect(rename(database)).rejects.toBeInstanceOf(DatabaseAwayError)
  })

  it('does not say that it is away when the server, or our own pool, has no connection left', async () => {
    const database = open({ poolSize: 2, connectTimeoutMs: 200 })
    await database.probe()
    if (database.directReads?.kind !== 'remote') throw new Error('PostgreSQL has such reads')
    const busy = database.directReads.rowsOnce('SELECT pg_sleep(0.5)::text', [])
    const refused = expect.objectContaining({ name: 'DatabaseUnavailableError' })
    await expect(database.probe()).rejects.toEqual(refused)
    await busy
    await admin.query(`CREATE ROLE nobody_more LOGIN PASSWORD 'x' CONNECTION LIMIT 0`)
    const url = Object.assign(new URL(temporary.url), { username: 'nobody_more', password: 'x' })
    await expect(open({}, url.href).probe()).rejects.toEqual(refused)
    await admin.query('DROP ROLE nobody_more')
  })

  it('leaves no connection behind when it is closed, after a write alone', async () => {
    const database = open()
    // It signals its commit on a connection that reads, and no read has been made.
    await rename(database)
    await database.close()
    const left = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`
    await until('all are gone', async () => (await admin.query(left)).rowCount === 0, 2_000)
  })

  it('tells of every statement, BEGIN and COMMIT included', async () => {
    const statements: string[] = []
    const database = open({ observer: { onStatement: ({ sql }) => statements.push(sql) } })
    await database.transaction((client) => client.persona.updateMany({ where: { id: ID }, data: { name: 'again' } }))
    await rename(database)
    // The first one asks a new connection whether it leads to a replica.
    expect(statements.map((sql) => sql.split(' ')[0])).toEqual(['SELECT', 'BEGIN', 'UPDATE', 'COMMIT', 'UPDATE'])
  })
})
