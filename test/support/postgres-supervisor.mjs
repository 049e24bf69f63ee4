import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, cpSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { findPostgres, unprivilegedUser } from './postgres-binaries.mjs'

/**
 * The parent of one PostgreSQL server, in a process of its own. It reads the options as a line of JSON, writes one line
 * of JSON (port, pid, dataDirectory; or error), and then waits. A line `down fast`, `down immediate` or `down kill` takes
 * the server away, and `up` starts it again on the same port; both are answered by a line. A line `fast` or `immediate`,
 * the end of its input, the end of the Jest run, a signal or the server's own end make it stop the server, remove the
 * folder and exit.
 */
const READY_TIMEOUT_MS = 30_000
const READY_POLL_MS = 10

/** How long an orderly shutdown may take before the server is told to drop everything, and then is killed. */
const STOP_TIMEOUT_MS = 10_000

/** How often it looks whether the Jest run is still there. */
const RUN_POLL_MS = 250

/** A port that was free may be taken by the time that the server wants it. */
const PORT_ATTEMPTS = 5

const START_AGAIN_ATTEMPTS = 50
const START_AGAIN_PAUSE_MS = 50

const STOP_SIGNALS = { fast: 'SIGINT', immediate: 'SIGQUIT', kill: 'SIGKILL' }

/** Tests look at what a server does, not at what its disk survives. */
const DEFAULT_SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
}

// Whoever asked may be gone before the answer.
process.stdout.on('error', () => undefined)

const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const { settings = {}, copyOf } = JSON.parse((await input.next()).value ?? '{}')

// The command to stop may come, as an end of the input, before the server is up.
const stopping = new AbortController()
let stopMode = 'immediate'
const requestStop = (mode) => {
  if (!stopping.signal.aborted) stopMode = mode in STOP_SIGNALS ? mode : 'immediate'
  stopping.abort()
}
const commands = []
let onCommand = () => undefined
void (async () => {
  for await (const line of input) {
    if (!line.startsWith('down ') && line !== 'up') return requestStop(line)
    commands.push(line)
    onCommand()
  }
  requestStop()
})()
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => requestStop('immediate'))

// One of Jest's worker processes outlives a killed Jest until its test times out, and keeps the pipe open for so long.
const runPid = Number(process.env.TEST_RUN_PID)
if (runPid) setInterval(() => isAlive(runPid) || requestStop('immediate'), RUN_POLL_MS).unref()

let folder
let bin
let exitCode = 0
try {
  const user = unprivilegedUser()
  folder = mkdtempSync(join(tmpdir(), 'gator-postgres-'))
  if (user) chownSync(folder, user.uid, user.gid)
  let running = await start(user)
  const { port } = running
  report({ port, pid: running.server.pid, dataDirectory: join(folder, 'data') })
  for (;;) {
    const event = await Promise.race([running.exited, stopRequested(), nextCommand()])
    if (typeof event !== 'string') break
    const [command, mode] = event.split(' ')
    if (command === 'down') await stop(running.server, running.exited, mode)
    running = command === 'down' ? { ...running, exited: new Promise(() => undefined) } : await startAgain(user, port)
    report({ pid: running.server.pid })
  }
  await stop(running.server, running.exited)
} catch (error) {
  if (!stopping.signal.aborted) report({ error: error.message })
  exitCode = 1
} finally {
  if (folder) rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
}
process.exit(exitCode)

function isAlive(pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function report(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

/** Makes the cluster, or takes over a copy of one, and starts a server on a port that is free. */
async function start(user) {
  bin = reachable(findPostgres(), user)
  const data = join(folder, 'data')
  if (copyOf) renameSync(copyOf, data)
  else await initialize(bin, data, user)
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort()
    const log = join(folder, `postgres-${attempt}.log`)
    const started = launch(bin, data, port, log, user)
    try {
      await ready(started, port)
      return { ...started, port }
    } catch (error) {
      await stop(started.server, started.exited)
      const said = readFileSync(log, 'utf8')
      const isPortTaken = said.includes('could not bind')
      if (isPortTaken && attempt < PORT_ATTEMPTS) continue
      throw new Error(`PostgreSQL did not start: ${error.message}\n${said.trimEnd()}`, { cause: error })
    }
  }
}

/** Starts the server on the folder that it was taken from. */
async function startAgain(user, port) {
  const log = join(folder, 'postgres-again.log')
  for (let attempt = 1; ; attempt += 1) {
    const started = launch(bin, join(folder, 'data'), port, log, user)
    try {
      await ready(started, port)
      return started
    } catch (error) {
      // Those that a killed server leaves behind hold its memory for a moment.
      if (attempt === START_AGAIN_ATTEMPTS)
        throw new Error(`${error.message}\n${readFileSync(log, 'utf8')}`, { cause: error })
    }
    await pause(START_AGAIN_PAUSE_MS)
  }
}

async function initialize(bin, data, user) {
  const log = join(folder, 'initdb.log')
  // C is the locale that every system and every version has.
  const flags = [
    '--username=postgres',
    '--auth=trust',
    '--encoding=UTF8',
    '--locale=C',
    '--no-sync',
    '--no-instructions',
  ]
  const initdb = spawn(join(bin, 'initdb'), ['-D', data, ...flags], { ...user, cwd: folder, stdio: outputTo(log) })
  const onStop = () => initdb.kill()
  stopping.signal.addEventListener('abort', onStop)
  const [code] = await once(initdb, 'exit')
  stopping.signal.removeEventListener('abort', onStop)
  stopping.signal.throwIfAborted()
  if (code !== 0) throw new Error(`initdb failed: ${readFileSync(log, 'utf8').trimEnd()}`)
}

function launch(bin, data, port, log, user) {
  const flags = Object.entries({ ...DEFAULT_SETTINGS, ...settings, port: String(port) }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ])
  const server = spawn(join(bin, 'postgres'), ['-D', data, ...flags], { ...user, cwd: folder, stdio: outputTo(log) })
  return { server, exited: once(server, 'exit') }
}

/** Resolves when a connection succeeded. */
async function ready({ server }, port) {
  const deadline = Date.now() + READY_TIMEOUT_MS
  for (;;) {
    stopping.signal.throwIfAborted()
    if (server.exitCode !== null || server.signalCode !== null) throw new Error('it ended at once')
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' })
    client.on('error', () => undefined)
    try {
      await client.connect()
      return
    } catch (error) {
      if (Date.now() > deadline) throw error
    } finally {
      await client.end()
    }
    await pause(READY_POLL_MS)
  }
}

async function stop(server, exited, mode = stopMode) {
  for (const signal of [STOP_SIGNALS[mode], STOP_SIGNALS.immediate, 'SIGKILL']) {
    if (server.exitCode !== null || server.signalCode !== null) return
    server.kill(signal)
    await Promise.race([exited, pause(STOP_TIMEOUT_MS, undefined, { ref: false })])
  }
}

function stopRequested() {
  return new Promise((resolve) => {
    if (stopping.signal.aborted) resolve()
    else stopping.signal.addEventListener('abort', resolve, { once: true })
  })
}

/** Resolves with the next command, once it is there. */
function nextCommand() {
  return new Promise((resolve) => {
    onCommand = () => {
      if (commands.length > 0) resolve(commands.shift())
    }
    onCommand()
  })
}

function outputTo(path) {
  const file = openSync(path, 'a')
  return ['ignore', file, file]
}

/** The project may lie where the server's user may not go (root's home): then the server runs from a copy. */
function reachable(bin, user) {
  if (!user || spawnSync(join(bin, 'postgres'), ['--version'], { ...user, cwd: folder }).status === 0) return bin
  const copy = join(folder, 'postgresql')
  cpSync(dirname(bin), copy, { recursive: true, verbatimSymlinks: true })
  return join(copy, 'bin')
}

/** @returns {Promise<number>} */
async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return port
}
