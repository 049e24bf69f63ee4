import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { connectToWorkers, type DemoConnection } from '../../src/cli/demo/connection.js'
import { play } from '../../src/cli/demo/play.js'
import { onEachDatabase } from '../support/databases.js'
import { childrenOf, stillRunning } from './process-table.js'
import { Sandbox } from './sandbox.js'

const DEMO = fileURLToPath(new URL('../../dist/cli/demo.js', import.meta.url))
const WORKERS = 3

type Demo = ChildProcessByStdio<null, Readable, null>

const TRANSCRIPT = [
  /^gator-personas \S+: 3 workers on http:\/\/127\.0\.0\.1:\d+, with a database of their own$/,
  /^$/,
  /^✓ create +"Tech Innovator Sarah" with 5 themes +worker 1 +ETag "1\.0"$/,
  /^✓ update +to 7 themes +worker 2 +ETag "2\.0"$/,
  /^✓ count +the first generation +worker 3 +ETag "2\.1"$/,
  /^✓ count +the second generation +worker 1 +ETag "2\.2"$/,
  ...[1, 2, 3].map((worker) => new RegExp(`^✓ read +7 themes and 2 generations +worker ${worker} +ETag "2\\.2"$`)),
  /^✓ updates +9 at once, all acknowledged, each one version +worker 1, 2, 3 +versions 3 to 11$/,
  ...[1, 2, 3].map((worker) => new RegExp(`^✓ read +all that was acknowledged +worker ${worker} +ETag "11\\.2"$`)),
  /^$/,
  /^All 3 workers see the same final state: version 11, and every acknowledged update is in it\.$/,
]

describe('the demo, with an SQLite file of its own', () => {
  const sandbox = new Sandbox()
  let folder: string
  let demo: Demo | undefined

  beforeEach(() => {
    folder = sandbox.emptyFolder()
  })
  afterEach(async () => {
    if (demo && demo.exitCode === null && demo.signalCode === null) {
      const exited = once(demo, 'exit')
      demo.kill('SIGTERM')
      await exited
    }
    await sandbox.clear()
  })

  function start(temporaryFolder: string): Demo {
    const { PATH = '', HOME = '' } = process.env
    // Settings of the person's own server, which the demo must not take.
    const env = {
      PATH,
      HOME,
      TMPDIR: temporaryFolder,
      WORKERS: '1',
      DATABASE_URL: 'file:./mine.db',
      LOG_LEVEL: 'silent',
    }
    demo = spawn(process.execPath, [DEMO], { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] })
    return demo
  }

  it('tells what every worker answered, ends with 0 and leaves nothing behind', async () => {
    const child = start(folder)
    const [output] = await Promise.all([text(child.stdout), once(child, 'exit')])
    expect(child.exitCode).toBe(0)
    const lines = output.trimEnd().split('\n')
    expect(lines).toHaveLength(TRANSCRIPT.length)
    for (const [index, line] of lines.entries()) expect(line).toMatch(TRANSCRIPT[index] ?? /no such line/)
    expect(readdirSync(folder)).toEqual([])
  })

  it('ends its server and removes its database on Ctrl-C', async () => {
    const child = start(folder)
    await once(child.stdout, 'data')
    const servers = await childrenOf(child.pid ?? 0)
    const workers = (await Promise.all(servers.map(childrenOf))).flat()
    expect([servers.length, workers.length]).toEqual([1, WORKERS])
    child.kill('SIGINT')
    await once(child, 'exit')
    expect(child.exitCode).toBe(130)
    expect(await stillRunning([...servers, ...workers])).toEqual([])
    expect(readdirSync(folder)).toEqual([])
  })

  it('ends with 1 and a clear line when a step fails', async () => {
    const child = start(`${folder}/missing`)
    const [output] = await Promise.all([text(child.stdout), once(child, 'exit')])
    expect(child.exitCode).toBe(1)
    expect(output).toMatch(/^✗ ENOENT: no such file or directory, mkdtemp .*\n$/)
  })
})

// The demo's steps against servers that the test has started.
onEachDatabase((kind) => {
  describe('the steps of the demo', () => {
    const sandbox = new Sandbox(kind)
    afterEach(() => sandbox.clear())

    it('fail when a worker shows an older state in the end, or has lost an update', async () => {
      const server = await sandbox.start({ workers: WORKERS })
      const connections = await connectToWorkers(server.url, WORKERS)
      const playWith = (plant: Readonly<Record<string, unknown>>) =>
        play(
          connections.map((connection) => (connection.worker === 2 ? stale(connection, plant) : connection)),
          () => undefined,
        )
      try {
        await expect(playWith({ version: 10 })).rejects.toThrow('read: worker 2 differs: version is 10, expected 11')
        const lost = playWith({ style_preferences: {} })
        await expect(lost).rejects.toThrow('read: worker 2 differs: style_preferences is {}, expected {"worker ')
        await expect(playWith({})).resolves.toBeUndefined()
      } finally {
        for (const connection of connections) connection.close()
      }
    })

    /** A connection whose final reads are not what the worker answered. */
    function stale(connection: DemoConnection, plant: Readonly<Record<string, unknown>>): DemoConnection {
      return {
        ...connection,
        send: async (method, path, body) => {
          const answer = await connection.send(method, path, body)
          const isFinal = method === 'GET' && answer.body['version'] === 11
          return isFinal ? { ...answer, body: { ...answer.body, ...plant } } : answer
        },
      }
    }
  })
})
