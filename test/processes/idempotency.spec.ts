import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { onEachDatabase, type TestDatabase } from '../support/databases.js'
import { aPersona } from './a-persona.js'
import type { Answer, Connection } from './connection.js'
import { Sandbox } from './sandbox.js'
import type { ServerProcess } from './server.js'
import { until } from './until.js'

const WORKERS = 4
const KEYS = 6
const WRITERS = 8
const KEYS_PER_WRITER = 20
const KILLED_AT_ONCE = 2
const TEST_TIMEOUT_MS = 60_000
/** A connection that was handed to a worker at the moment of its death answers nothing any more. */
const GIVE_UP_MS = 3_000

onEachDatabase((kind) => {
  describe('requests with an Idempotency-Key, through four workers', () => {
    const sandbox = new Sandbox(kind)
    let database: TestDatabase
    let server: ServerProcess

    beforeAll(async () => {
      database = await sandbox.database()
      server = await sandbox.start({ database, workers: WORKERS })
    })
    afterAll(() => sandbox.clear())

    const post = (connection: Connection, key: string): Promise<Answer> =>
      connection.request('POST', '/api/v1/personas/', {
        body: aPersona({ name: key }),
        headers: { 'idempotency-key': key },
        timeoutMs: GIVE_UP_MS,
      })

    /** The personas of each name, of those that begin so. */
    async function idsByName(prefix: string): Promise<Map<string, string[]>> {
      const rows = await database.query(`SELECT id, name FROM personas WHERE name LIKE '${prefix}%'`)
      const ids = new Map<string, string[]>()
      for (const { id, name } of rows) ids.set(String(name), [...(ids.get(String(name)) ?? []), String(id)])
      return ids
    }

    it('that are sent to all of them at once make one persona each', async () => {
      const twice = [
        ...(await sandbox.connectToEachWorker(server, WORKERS)),
        ...(await sandbox.connectToEachWorker(server, WORKERS)),
      ]
      for (let n = 0; n < KEYS; n++) {
        const key = `parallel-${n}`
        const answers = await Promise.all(twice.map((connection) => post(connection, key)))
        const given = answers.filter(({ status }) => status === 201)
        // A worker that is at it itself says so; another one waits for its turn, and finds the answer.
        const others = answers.filter(({ status }) => status !== 201)
        expect(others.map(({ status }) => status)).toEqual(others.map(() => 409))
        expect(given.filter(({ headers }) => headers['idempotency-replayed'] === undefined)).toHaveLength(1)
        const later = await Promise.all(twice.slice(0, WORKERS).map((connection) => post(connection, key)))
        expect(later.map(({ headers }) => headers['idempotency-replayed'])).toEqual(later.map(() => 'true'))
        for (const { body } of [...given, ...later]) expect(body).toEqual(given[0]?.body)
      }
      const made = await idsByName('parallel-')
      expect([made.size, [...made.values()].every((ids) => ids.length === 1)]).toEqual([KEYS, true])
    })

    it(
      'that are repeated because workers were killed with -9 are carried out once, and answered the same',
      async () => {
        const acknowledged = new Map<string, string>()
        let broken = 0
        /** Sends it until it is answered: over a new connection when the last one broke with its worker. */
        async function insist(connection: Connection, key: string): Promise<Connection> {
          let current = connection
          const { body } = await until(`the answer of ${key}`, async () => {
            try {
              const answer = await post(current, key)
              return answer.status === 201 ? answer : undefined
            } catch {
              broken++
              current.close()
              current = sandbox.connect(server)
              return undefined
            }
          })
          acknowledged.set(key, body.id)
          return current
        }
        const writers = Array.from({ length: WRITERS }, async (_value, writer) => {
          let connection = sandbox.connect(server)
          for (let n = 0; n < KEYS_PER_WRITER; n++) connection = await insist(connection, `killed-${writer}-${n}`)
        })
        const all = WRITERS * KEYS_PER_WRITER
        await until('writes are made', () => acknowledged.size >= all / 3)
        for (const pid of (await server.workerPids()).slice(0, KILLED_AT_ONCE)) process.kill(pid, 'SIGKILL')
        await Promise.all(writers)
        expect(broken).toBeGreaterThan(0)

        const made = await idsByName('killed-')
        expect(acknowledged.size).toBe(all)
        expect([...made].map(([key, ids]) => [key, ids]).sort()).toEqual(
          [...acknowledged].map(([key, id]) => [key, [id]]).sort(),
        )
        const [key = '', id] = [...acknowledged][0] ?? []
        expect((await post(sandbox.connect(server), key)).body.id).toBe(id)
      },
      TEST_TIMEOUT_MS,
    )
  })
})
