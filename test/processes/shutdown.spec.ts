import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { type DatabaseName, onEachDatabase } from '../support/databases.js'
import { aPersona } from './a-persona.js'
import type { Connection } from './connection.js'
import { stillRunning } from './process-table.js'
import { Sandbox } from './sandbox.js'
import type { ServerProcess } from './server.js'
import { until } from './until.js'

const TEST_TIMEOUT_MS = 60_000
const GRACE_MS = 10_000
const MARGIN_MS = 2_500
const HELD_ON_MS = 1_000

// They take their ten seconds while the other tests run, those of both databases.
const slowSandboxes = { SQLite: new Sandbox('SQLite'), PostgreSQL: new Sandbox('PostgreSQL') }
const unfinished = new Map<DatabaseName, ReturnType<typeof stopDuringAnUnfinishedRequest>>()
beforeAll(() => {
  for (const kind of ['SQLite', 'PostgreSQL'] as const) {
    const stopped = stopDuringAnUnfinishedRequest(slowSandboxes[kind])
    stopped.catch(() => undefined)
    unfinished.set(kind, stopped)
  }
})
afterAll(() => Promise.all(Object.values(slowSandboxes).map((sandbox) => sandbox.clear())))

onEachDatabase((kind) => {
  describe('stopping', () => {
    const sandbox = new Sandbox(kind)
    afterEach(() => sandbox.clear())

    const all = [
      { signal: 'SIGTERM', workers: 1 },
      { signal: 'SIGINT', workers: 1 },
      { signal: 'SIGTERM', workers: 2 },
      { signal: 'SIGINT', workers: 2 },
    ] as const
    // What a signal does is the same on both databases: on one of them each signal and each number of workers once.
    const cases = kind === 'SQLite' ? all : [all[0], all[3]]

    it(
      'answers the requests in flight first, then ends with 0 and without a child',
      async () => {
        await Promise.all(cases.map(({ signal, workers }) => stopDuringAWrite(signal, workers)))
      },
      TEST_TIMEOUT_MS,
    )

    async function stopDuringAWrite(signal: NodeJS.Signals, workers: number): Promise<void> {
      const database = await sandbox.database()
      const server = await sandbox.start({ database, workers })
      const pids = [server.pid, ...(await server.workerPids())]
      expect(pids).toHaveLength(workers === 1 ? 1 : 1 + workers)
      const { body } = await sandbox.connect(server).create(aPersona())
      const holder = sandbox.lockHolder(database)
      await holder.take()
      const connections = Array.from({ length: workers }, () => sandbox.connect(server))
      const writes = await beginWrites(server, connections, body.id)

      server.kill(signal)
      await server.line('stopping')
      // The signal has come; the lock is kept on for a while, so that the answers come long after it.
      await readUntilRefused(server)
      await until('the lock was held on', () => performance.now() - writes.since > HELD_ON_MS)
      await holder.release()

      const answers = await writes.answers
      expect(answers.map(({ status }) => status)).toEqual(connections.map(() => 200))
      expect(answers.map(({ headers }) => headers.connection)).toEqual(connections.map(() => 'close'))
      expect(await server.closed).toEqual({ code: 0, signal: null })
      expect(await stillRunning(pids)).toEqual([])
    }

    it('answers all that was asked for at once on a connection, and says with the last that it ends', async () => {
      const database = await sandbox.database()
      const server = await sandbox.start({ database })
      const { body } = await sandbox.connect(server).create(aPersona())
      const holder = sandbox.lockHolder(database)
      await holder.take()
      const { host, hostname, port } = new URL(server.url)
      const socket = connect(Number(port), hostname)
      const answered = textOf(socket)
      const writes = [1, 2, 3].map((n) => JSON.stringify({ style_preferences: { n } }))
      const head = `PUT /api/v1/personas/${body.id} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n`
      socket.write(writes.map((write) => `${head}Content-Length: ${write.length}\r\n\r\n${write}`).join(''))
      // Answers come in the order of arrival: after this read the writes are there.
      await sandbox.connect(server).read(body.id)

      server.kill('SIGTERM')
      await server.line('stopping')
      await holder.release()

      const text = await answered
      expect(text.match(/HTTP\/1\.1 200 /g)).toHaveLength(writes.length)
      expect(
        text
          .match(/^connection: .*$/gim)
          ?.at(-1)
          ?.trim(),
      ).toBe('connection: close')
      expect(await server.closed).toEqual({ code: 0, signal: null })
    })

    /** Sends one write on each connection; resolves when all have arrived and wait for the lock. */
    async function beginWrites(server: ServerProcess, connections: readonly Connection[], id: string) {
      const answers = Promise.all(
        connections.map((connection, n) => connection.update(id, { style_preferences: { n } })),
      )
      answers.catch(() => undefined)
      // Answers come in the order of arrival on each worker's event loop: after these reads the writes are there.
      for (const reader of connections.map(() => sandbox.connect(server))) await reader.read(id)
      return { answers, since: performance.now() }
    }

    /** A new connection is refused as soon as all have closed their ear. */
    async function readUntilRefused({ url }: ServerProcess): Promise<void> {
      const { hostname, port } = new URL(url)
      await until('no connection is accepted', async () => {
        const socket = connect(Number(port), hostname)
        const isRefused = await once(socket, 'connect').then(
          () => false,
          () => true,
        )
        socket.destroy()
        return isRefused
      })
    }

    it('leaves no worker behind when the primary is killed with -9', async () => {
      const server = await sandbox.start({ workers: 2 })
      const workers = await server.workerPids()
      expect(workers).toHaveLength(2)
      server.kill('SIGKILL')
      expect(await server.closed).toEqual({ code: null, signal: 'SIGKILL' })
      await until('the workers are gone', async () => (await stillRunning(workers)).length === 0)
    })

    it('cuts off after 10 s what does not come to an end', async () => {
      const outcome = await unfinished.get(kind)
      if (!outcome) throw new Error('Nothing was begun.')
      const { exit, tookMs, server, workers } = outcome
      expect(exit).toEqual({ code: 0, signal: null })
      expect(tookMs).toBeGreaterThan(GRACE_MS - MARGIN_MS)
      expect(tookMs).toBeLessThan(GRACE_MS + MARGIN_MS)
      expect(server.linesWith('requests in flight were not answered in time')).toHaveLength(1)
      expect(await stillRunning(workers)).toEqual([])
    })
  })
})

/** Stops a server while a request is on its way whose body never comes to an end. */
async function stopDuringAnUnfinishedRequest(sandbox: Sandbox) {
  const server = await sandbox.start({ workers: 2 })
  const workers = await server.workerPids()
  const { hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  const head = 'POST /api/v1/personas/ HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n'
  socket.write(`${head}Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n{"name":`)
  // The server has told that it awaits the body.
  await once(socket, 'data')
  const start = performance.now()
  server.kill('SIGTERM')
  const exit = await server.closed
  const tookMs = performance.now() - start
  socket.destroy()
  return { server, workers, exit, tookMs }
}

/** All that comes on a connection, until it ends. */
async function textOf(socket: Socket): Promise<string> {
  let text = ''
  for await (const chunk of socket.setEncoding('utf8')) text += String(chunk)
  return text
}
