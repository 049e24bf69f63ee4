import { afterEach, describe, expect, it } from '@jest/globals'
import { onEachDatabase } from '../support/databases.js'
import { aPersona } from './a-persona.js'
import type { Answer, Connection } from './connection.js'
import { Sandbox } from './sandbox.js'
import { until } from './until.js'

const WORKERS = 2
const TEST_TIMEOUT_MS = 60_000
/** Enough new connections a second that one is on its way to each worker at the moment when it is told to stop. */
const READERS = 8
/** How a connection is handed over is the same on both databases: on one of them a light load is enough. */
const FEW_READERS = 3

onEachDatabase((kind) => {
  describe('SIGHUP', () => {
    const sandbox = new Sandbox(kind)
    let isOver = false
    afterEach(() => {
      isOver = true
      return sandbox.clear()
    })

    it(
      'replaces every worker, and no new connection is refused and no request fails',
      async () => {
        const server = await sandbox.start({ workers: WORKERS })
        const before = await server.workerPids()
        const { id } = (await sandbox.connect(server).create(aPersona())).body
        const statuses: number[] = []
        let acknowledged = 0
        const keepAsking = async (ask: (connection: Connection, n: number) => Promise<Answer>) => {
          for (let n = 0; !isOver; n++) {
            const connection = sandbox.connect(server)
            statuses.push((await ask(connection, n)).status)
            connection.close()
          }
        }
        const readers = Array.from({ length: kind === 'SQLite' ? READERS : FEW_READERS }, () =>
          keepAsking((connection) => connection.read(id)),
        )
        const writer = keepAsking(async (connection, n) => {
          const answer = await connection.update(id, { style_preferences: { n } })
          acknowledged++
          return answer
        })
        const clients = [...readers, writer]
        await until('the load is on', () => acknowledged > 1)
        server.kill('SIGHUP')
        await Promise.race([server.line('all workers are new', 30_000), Promise.all(clients)])
        isOver = true
        await Promise.all(clients)

        expect(new Set(statuses)).toEqual(new Set([200]))
        const after = await server.workerPids()
        expect(after).toHaveLength(WORKERS)
        expect(after.filter((pid) => before.includes(pid))).toEqual([])
        const answers = await Promise.all(
          (await sandbox.connectToEachWorker(server, WORKERS)).map((connection) => connection.read(id)),
        )
        expect(answers.map(({ worker }) => worker)).toEqual([1, 2])
        expect(answers.map(({ body }) => body.version)).toEqual(answers.map(() => 1 + acknowledged))
        expect(server.linesWith('a worker died and is started again')).toEqual([])
      },
      TEST_TIMEOUT_MS,
    )
  })
})
