import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { onEachDatabase, type TestDatabase } from '../support/databases.js'
import { gator } from '../support/gator.js'
import type { Answer, Connection } from './connection.js'
import { Sandbox } from './sandbox.js'
import type { ServerProcess } from './server.js'
import { until } from './until.js'

const WORKERS = { SQLite: 4, PostgreSQL: 2 }
const LIMIT = 100
/** Loopback, in a form that the service does not take for it: nobody else reaches what the tests start. */
const HOST = '::ffff:127.0.0.1'
const PERSONAS = '/api/v1/personas/'
/** A pool of two has one connection that reads. */
const ENV = { RATE_LIMIT_PER_MINUTE: String(LIMIT), DATABASE_POOL_SIZE: '2' }
const WAITING = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`

interface KeyResult {
  readonly id: string
  readonly key: string
}

onEachDatabase((kind) => {
  describe('a server on an address that others reach', () => {
    const sandbox = new Sandbox(kind)
    const workers = WORKERS[kind]
    let database: TestDatabase
    let server: ServerProcess
    let connections: Connection[]
    let key: KeyResult

    const keys = async (...words: string[]) => {
      const env = { DATABASE_URL: database.url, HOST }
      const { code, stdout, stderr } = await gator(['keys', ...words, '--json'], { folder: sandbox.emptyFolder(), env })
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      return JSON.parse(stdout) as KeyResult & { keys: (KeyResult & Record<string, unknown>)[] }
    }
    const ask =
      ({ key: secret }: KeyResult) =>
      (connection: Connection): Promise<Answer> =>
        connection.request('GET', PERSONAS, { headers: { authorization: `Bearer ${secret}` } })
    const askAll = async (asked: KeyResult) =>
      (await Promise.all(connections.map(ask(asked)))).map(({ status }) => status)

    beforeAll(async () => {
      // It is the first command that makes the database, before any server has run.
      database = await sandbox.emptyDatabase()
      key = await keys('create', '--name', 'Studio', '--scope', 'personas:read', 'personas:write')
      server = await sandbox.start({ database, workers, env: { ...ENV, HOST } })
      connections = await sandbox.connectToEachWorker(server, workers)
    }, 60_000)
    afterAll(() => sandbox.clear())

    it('does not start without a key, and says what to do', async () => {
      const refused = sandbox.launch({ database: await sandbox.database(), env: { HOST } })
      expect(await refused.closed).toEqual({ code: 1, signal: null })
      expect(refused.stderr.trimEnd()).toMatch(
        /^HOST is not loopback, and there is no API key: make one with "gator keys/,
      )
    })

    it('counts the requests of a key over all workers, to the last one', async () => {
      const answers: Answer[] = []
      const each = Math.ceil((2 * LIMIT) / workers)
      const client = async (connection: Connection) => {
        for (let n = 0; n < each; n++) answers.push(await ask(key)(connection))
      }
      await Promise.all(connections.map(client))
      const statuses = answers.map(({ status }) => status)
      expect(statuses.filter((status) => status === 200)).toHaveLength(LIMIT)
      expect(statuses.filter((status) => status === 429)).toHaveLength(workers * each - LIMIT)
      const remaining = answers.map(({ headers }) => Number(/r=(\d+)/.exec(String(headers['ratelimit']))?.[1]))
      expect(Math.min(...remaining)).toBe(0)
    })

    it('takes a new key, and refuses a revoked one, on every worker within a second', async () => {
      const other = await keys('create', '--name', 'Other', '--scope', 'personas:read', '--expires', '1h')
      const isAll = async (status: number) => (await askAll(other)).every((each) => each === status)
      await until('every worker takes it', () => isAll(200), 1_000)
      await keys('revoke', other.id)
      await until('every worker refuses it', () => isAll(401), 1_000)
      expect((await keys('list')).keys).toMatchObject([
        { id: key.id, state: 'good' },
        { id: other.id, state: 'revoked' },
      ])
    })

    // SQLite has no pool: a read there waits for nobody.
    if (kind === 'PostgreSQL')
      it('refuses a revoked key on every worker within a second, with every connection that reads held busy', async () => {
        const reader = await keys('create', '--name', 'Reader', '--scope', 'personas:read')
        const writer = await keys('create', '--name', 'Writer', '--scope', 'personas:write')
        // That a scope is missing is said without a look at the database.
        const isAll = async (status: number) => (await askAll(writer)).every((each) => each === status)
        await until('every worker knows it', () => isAll(403))
        const holder = new pg.Client({ connectionString: database.url })
        await holder.connect()
        try {
          await holder.query('BEGIN; LOCK TABLE personas IN ACCESS EXCLUSIVE MODE')
          const others = await sandbox.connectToEachWorker(server, workers)
          const reads = others.map(ask(reader))
          await until('they all wait', async () => (await holder.query(WAITING)).rowCount === workers)
          await keys('revoke', writer.id)
          await until('every worker refuses it', () => isAll(401), 1_000)
          await holder.query('ROLLBACK')
          expect((await Promise.all(reads)).map(({ status }) => status)).toEqual(others.map(() => 200))
        } finally {
          await holder.end()
        }
      })

    it('has written the last use down when it stops, and never a key', async () => {
      expect(await server.stop()).toEqual({ code: 0, signal: null })
      const [first] = (await keys('list')).keys
      expect(first).toMatchObject({ name: 'Studio', last_used_at: expect.any(String) })
      expect(server.output).toContain(key.id)
      expect(server.output).not.toContain(key.key.split('_').at(-1))
    })
  })
})
