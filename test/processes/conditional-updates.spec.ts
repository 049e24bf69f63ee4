import { afterAll, describe, expect, it } from '@jest/globals'
import { onEachDatabase } from '../support/databases.js'
import { aPersona } from './a-persona.js'
import type { Connection } from './connection.js'
import { Sandbox } from './sandbox.js'

const CLIENTS_PER_SERVER = 2
const INCREMENTS_PER_CLIENT = 25

interface Tally {
  readonly acknowledged: number
  readonly statuses: readonly number[]
}

/** Adds one to a counter as a careful client does: read, add, write if nobody wrote in between, else again. */
async function increment(connection: Connection, id: string, times: number): Promise<Tally> {
  const statuses: number[] = []
  let acknowledged = 0
  while (acknowledged < times) {
    const current = await connection.read(id)
    const { counter } = current.body['style_preferences'] as { counter: number }
    const headers = { 'if-match': current.headers.etag ?? '' }
    const { status } = await connection.update(id, { style_preferences: { counter: counter + 1 } }, { headers })
    statuses.push(status)
    if (status === 200) acknowledged++
    else if (status !== 412) break
  }
  return { acknowledged, statuses }
}

onEachDatabase((kind) => {
  describe('two servers on one database', () => {
    const sandbox = new Sandbox(kind)
    afterAll(() => sandbox.clear())

    it('lose no conditional update', async () => {
      const database = await sandbox.database()
      const servers = await Promise.all([sandbox.start({ database }), sandbox.start({ database })])
      const [first] = servers
      const created = await sandbox.connect(first).create(aPersona({ style_preferences: { counter: 0 } }))
      const { id } = created.body

      const clients = servers.flatMap((server) =>
        Array.from({ length: CLIENTS_PER_SERVER }, () => sandbox.connect(server)),
      )
      const tallies = await Promise.all(clients.map((client) => increment(client, id, INCREMENTS_PER_CLIENT)))

      const statuses = new Set(tallies.flatMap((tally) => tally.statuses))
      // Without a single conflict this run would have shown nothing.
      expect(statuses).toEqual(new Set([200, 412]))
      const acknowledged = tallies.reduce((sum, tally) => sum + tally.acknowledged, 0)
      expect(acknowledged).toBe(clients.length * INCREMENTS_PER_CLIENT)
      for (const server of servers) {
        const { body } = await sandbox.connect(server).read(id)
        expect(body).toMatchObject({ version: 1 + acknowledged, style_preferences: { counter: acknowledged } })
      }
    })
  })
})
