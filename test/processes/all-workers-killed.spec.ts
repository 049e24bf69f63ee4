import { afterEach, expect, it } from '@jest/globals'
import { onEachDatabase } from '../support/databases.js'
import { aPersona } from './a-persona.js'
import { Sandbox } from './sandbox.js'
import { until } from './until.js'

const WORKERS = 2
const GIVE_UP_MS = 500

onEachDatabase((kind) => {
  const sandbox = new Sandbox(kind)
  afterEach(() => sandbox.clear())

  it('the death of all workers at once leaves a server that answers at the same address again, with every persona that it acknowledged', async () => {
    const server = await sandbox.start({ workers: WORKERS })
    const connection = sandbox.connect(server)
    const created = await connection.create(aPersona({ name: 'Left' }))
    expect(created.status).toBe(201)
    connection.close()

    for (const pid of await server.workerPids()) process.kill(pid, 'SIGKILL')
    const stored = await until('the server answers again', async () => {
      const answer = await fetch(`${server.url}/api/v1/personas/${created.body.id}`, {
        headers: { connection: 'close' },
        // A connection that was handed to a worker at the moment of its death gets no answer.
        signal: AbortSignal.timeout(GIVE_UP_MS),
      }).catch(() => undefined)
      return answer?.json()
    })
    expect(stored).toEqual(created.body)
    expect(server.linesWith('a worker died and is started again')).toHaveLength(WORKERS)
    expect(await server.stop()).toEqual({ code: 0, signal: null })
  })
})
