import { afterEach, describe, expect, it } from '@jest/globals'
import { aPersona } from './a-persona.js'
import { Sandbox } from './sandbox.js'
import { until } from './until.js'

const DEATH = 'a worker died and is started again'

/**
 * Lets the process that gets SIGUSR2 find no program to fork (which Node tells by an event), run out of memory for one at
 * the next (which Node throws), and be well again at the third.
 */
const TOGGLE = `
  import cluster from 'node:cluster'
  const program = process.execPath
  const fork = cluster.fork
  let signals = 0
  process.on('SIGUSR2', () => {
    signals += 1
    process.execPath = signals === 1 ? '/nowhere/node' : program
    cluster.fork = signals === 2 ? () => { throw new Error('spawn ENOMEM') } : fork
    console.log(JSON.stringify({ msg: 'signal ' + signals }))
  })`

describe('a worker that cannot be forked', () => {
  const sandbox = new Sandbox()
  afterEach(() => sandbox.clear())

  it('is tried again, while the others serve and the primary lives', async () => {
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(TOGGLE)}` }
    const server = await sandbox.start({ workers: 2, env })
    process.kill(server.pid, 'SIGUSR2')
    await server.line('signal 1')
    const [victim = 0] = await server.workerPids()
    process.kill(victim, 'SIGKILL')
    const failure = await until('the fork has failed', () => server.linesWith(DEATH)[1])
    expect(failure['reason']).toMatch(/ENOENT/)
    const connection = sandbox.connect(server)
    expect((await connection.create(aPersona())).status).toBe(201)
    process.kill(server.pid, 'SIGUSR2')
    await until('a fork has thrown', () => server.linesWith(DEATH).find(({ reason }) => reason === 'spawn ENOMEM'))
    process.kill(server.pid, 'SIGUSR2')
    await server.line('signal 3')
    const listening = await until('another worker listens', () => server.linesWith('listening')[2])
    expect(listening['worker']).toBe(failure['worker'])
    expect(await server.stop()).toEqual({ code: 0, signal: null })
  })
})
