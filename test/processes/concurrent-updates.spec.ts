import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { onEachDatabase } from '../support/databases.js'
import { aPersona } from './a-persona.js'
import type { Answer, Connection } from './connection.js'
import { Sandbox } from './sandbox.js'
import type { ServerProcess } from './server.js'

const WORKERS = 4
const UPDATES = 200
const FOLLOWED_UPDATES = 40

/** Update number n changes one field, another one each time, to a value that no other update writes. */
function change(n: number): Record<string, unknown> {
  const changes = [
    { appearance: `The appearance that update ${n} wrote` },
    { personality: `The personality that update ${n} wrote` },
    { content_themes: [`theme ${n}`] },
    { style_preferences: { update: n } },
    { base_image_path: `images/${n}.png` },
  ]
  return changes[n % changes.length] ?? {}
}

onEachDatabase((kind) => {
  describe('one persona, updated through four workers', () => {
    const sandbox = new Sandbox(kind)
    let server: ServerProcess
    let workers: Connection[]

    beforeAll(async () => {
      server = await sandbox.start({ workers: WORKERS })
      workers = await sandbox.connectToEachWorker(server, WORKERS)
    })
    afterAll(() => sandbox.clear())

    async function createOne(): Promise<Record<string, unknown> & { id: string }> {
      const answer = await sandbox.connect(server).create(aPersona())
      expect(answer.status).toBe(201)
      return answer.body
    }

    it('acknowledges 200 concurrent updates with one version each and loses none', async () => {
      const created = await createOne()
      const updates = Array.from({ length: UPDATES }, (_value, n) => ({ n, connection: sandbox.connect(server) }))
      const answers = await Promise.all(updates.map(({ n, connection }) => connection.update(created.id, change(n))))

      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
      expect(new Set(answers.map(({ worker }) => worker)).size).toBe(WORKERS)
      const order = answers.map(({ body }, n) => ({ body, n })).sort((a, b) => a.body.version - b.body.version)
      expect(order.map(({ body }) => body.version)).toEqual(Array.from({ length: UPDATES }, (_value, n) => n + 2))

      // Played again in the order of their versions, the updates explain every answer, and what every worker reads.
      let expected: Record<string, unknown> = created
      for (const { body, n } of order) {
        expected = { ...expected, ...change(n), version: body.version, updated_at: body['updated_at'] }
        expect(body).toEqual(expected)
      }
      expect(expected['version']).toBe(1 + UPDATES)
      for (const answer of await readFromAll(created.id)) expect(answer.body).toEqual(expected)
    })

    it('shows each acknowledged update to every worker at once', async () => {
      const { id } = await createOne()
      for (let n = 0; n < FOLLOWED_UPDATES; n++) {
        const written = await workers[n % WORKERS]?.update(id, change(n))
        expect(written).toMatchObject({ status: 200, worker: (n % WORKERS) + 1, body: change(n) })
        const seen = await readFromAll(id)
        expect(seen.map(({ worker }) => worker)).toEqual([1, 2, 3, 4])
        expect(seen.map(({ headers }) => headers.etag)).toEqual(Array(WORKERS).fill(written?.headers.etag))
        for (const { body } of seen) expect(body).toEqual(written?.body)
      }
    })

    function readFromAll(id: string): Promise<Answer[]> {
      return Promise.all(workers.map((connection) => connection.read(id)))
    }
  })
})
