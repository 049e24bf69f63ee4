import { randomBytes } from 'node:crypto'
import { renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { aPersona } from '../processes/a-persona.js'
import type { Answer } from '../processes/connection.js'
import { Sandbox } from '../processes/sandbox.js'
import { hasNamespaces, launchWith } from './namespace.js'
import { saySeed } from './scale.js'

const START_GIVEN_UP_WITHIN_MS = 10_000
/** Two looks, each up to 2 s later, and an orderly stop. */
const NOTICED_WITHIN_MS = 6_000
const RANDOM_BYTES = 65_536
const READ_ONLY_FILE = hasNamespaces
  ? 'mount --bind gator.db gator.db && mount -o remount,ro,bind gator.db'
  : 'chmod 400 gator.db'
const READ_ONLY_FOLDER = hasNamespaces
  ? 'mount --bind . . && mount -o remount,ro,bind "$PWD" && cd "$PWD"'
  : 'chmod 500 .'

interface StartFault {
  readonly title: string
  readonly spoil?: (file: string) => void
  readonly setup?: string
  readonly message: RegExp
}

const startFaults: readonly StartFault[] = [
  {
    title: 'is not a database',
    spoil: (file) => writeFileSync(file, randomBytes(RANDOM_BYTES)),
    message: /gator\.db.*SQLITE_NOTADB/,
  },
  {
    title: 'is truncated to half',
    spoil: (file) => truncateSync(file, statSync(file).size / 2),
    message: /gator\.db.*SQLITE_CORRUPT/,
  },
  { title: 'is read-only', setup: READ_ONLY_FILE, message: /gator\.db.*SQLITE_READONLY/ },
  {
    title: 'is in a folder that cannot be written to',
    setup: READ_ONLY_FOLDER,
    message: /gator\.db.*SQLITE_(CANTOPEN|READONLY)/,
  },
]

describe('a database file that cannot be served', () => {
  const sandbox = new Sandbox()
  afterEach(() => sandbox.clear())

  it.each(startFaults.flatMap((fault) => [1, 2].map((workers) => ({ ...fault, workers }))))(
    'because it $title ends the start, once, with a clear message (workers: $workers)',
    async ({ spoil, setup = 'true', workers, message }) => {
      const folder = sandbox.folder()
      spoil?.(join(folder, 'gator.db'))
      const start = performance.now()
      const server = launchWith(sandbox.emptyFolder(), setup, () => sandbox.launch({ folder, workers }))
      expect(await server.closed).toEqual({ code: 1, signal: null })
      expect(performance.now() - start).toBeLessThan(START_GIVEN_UP_WITHIN_MS)
      expect(server.stderr).toMatch(message)
      // For a person: one line, no stack, and no worker that tried again.
      expect(server.stderr.trimEnd().split('\n')).toHaveLength(1)
      expect(server.linesWith('a worker died and is started again')).toEqual([])
    },
  )
})

interface RunningFault {
  readonly title: string
  readonly spoil: (folder: string, other: string) => void
}

const runningFaults: readonly RunningFault[] = [
  {
    title: 'was replaced by another file',
    spoil: (folder, other) => renameSync(join(other, 'gator.db'), join(folder, 'gator.db')),
  },
  { title: 'was removed', spoil: (folder) => rmSync(join(folder, 'gator.db')) },
]

describe('a database file under a running server', () => {
  const sandbox = new Sandbox()
  afterEach(() => sandbox.clear())

  it.each(runningFaults)(
    'that $title is noticed: writes are refused, the server is not ready, and ends',
    async ({ spoil }) => {
      saySeed()
      const folder = sandbox.folder()
      const other = sandbox.folder()
      const server = await sandbox.start({ folder, workers: 2 })
      const connections = await sandbox.connectToEachWorker(server, 2)
      for (const connection of connections) expect((await connection.create(aPersona())).status).toBe(201)
      spoil(folder, other)
      const start = performance.now()
      for (const connection of connections) {
        expectUnavailable(await connection.create(aPersona()))
        expect((await connection.request('GET', '/health/ready')).status).toBe(503)
        expect((await connection.request('GET', '/health/live')).status).toBe(200)
      }
      expect(await server.closed).toEqual({ code: 1, signal: null })
      expect(performance.now() - start).toBeLessThan(NOTICED_WITHIN_MS)
      expect(server.linesWith('a worker died and is started again')).toEqual([])
      expect(server.linesWith('stopping the workers')).toMatchObject([{ reason: expect.stringContaining('gator.db') }])
    },
  )

  it('that was replaced ends a server of one process too, and is served by no worker that is forked later', async () => {
    const single = { folder: sandbox.folder() }
    const alone = await sandbox.start(single)
    renameSync(join(sandbox.folder(), 'gator.db'), join(single.folder, 'gator.db'))
    const folder = sandbox.folder()
    const server = await sandbox.start({ folder, workers: 2 })
    const pids = await server.workerPids()
    renameSync(join(sandbox.folder(), 'gator.db'), join(folder, 'gator.db'))
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    expect(await server.closed).toEqual({ code: 1, signal: null })
    expect(server.linesWith('listening')).toHaveLength(2)
    expect(await alone.closed).toEqual({ code: 1, signal: null })
  })

  it('that is truncated to half answers what it can, and says of the rest that the database is unavailable', async () => {
    const folder = sandbox.folder()
    const server = await sandbox.start({ folder, workers: 2 })
    const connections = await sandbox.connectToEachWorker(server, 2)
    const file = join(folder, 'gator.db')
    truncateSync(file, statSync(file).size / 2)
    const statuses: number[] = []
    for (const connection of connections) {
      statuses.push((await connection.create(aPersona())).status)
      statuses.push((await connection.request('GET', '/api/v1/personas')).status)
      expect((await connection.request('GET', '/health/live')).status).toBe(200)
    }
    for (const status of statuses) expect([200, 201, 503]).toContain(status)
    expect(statuses).toContain(503)
    expect(server.linesWith('a worker died and is started again')).toEqual([])
  })
})

function expectUnavailable({ status, headers, body }: Answer): void {
  expect({ status, type: body['type'], detail: body['detail'], retry: headers['retry-after'] }).toEqual({
    status: 503,
    type: expect.stringContaining('database-unavailable'),
    detail: 'The database file was replaced or removed.',
    retry: expect.stringMatching(/^\d+$/),
  })
}
