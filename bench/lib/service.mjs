import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { pinned } from './processors.mjs'

const MAIN = fileURLToPath(new URL('../../dist/bundle/main.js', import.meta.url))

/**
 * Starts the built service with these settings and no others, on a free port; answers its address and how to end it.
 * @param {(line: string) => void} [onLine] told of each line that it logs
 */
export async function startService(folder, settings, onLine = () => undefined) {
  const env = environment({ PORT: '0', LOG_FORMAT: 'json', LOG_SQL: 'false', ...settings })
  const child = spawn(process.execPath, [MAIN], { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const url = await Promise.race([
    listeningAt(child, Number(settings.WORKERS ?? 1), onLine),
    exited.then(([code]) => Promise.reject(new Error(`the service ended with code ${code}`))),
  ])
  const stop = async () => {
    child.kill('SIGTERM')
    await exited
  }
  return { url, stop }
}

/**
 * Starts one of the benchmarks' own servers, a process that says over its channel when it listens; its output is thrown
 * away.
 * @param {object} server
 * @param {URL} server.program
 * @param {string[]} [server.args]
 * @param {string} server.folder where it works
 * @param {Record<string, string>} server.settings its environment, and nothing else of this process's
 * @param {number[]} [server.cores] those that it may run on; all by default
 * @param {string[]} [server.nodeArgs] options of Node's
 */
export async function startServer({ program, args = [], folder, settings, cores, nodeArgs }) {
  const port = await freePort()
  const child = fork(fileURLToPath(program), args, {
    ...pinned(cores, nodeArgs),
    cwd: folder,
    env: environment({ PORT: String(port), LOG_FORMAT: 'json', LOG_LEVEL: 'warn', ...settings }),
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const exited = once(child, 'exit')
  await Promise.race([
    once(child, 'message'),
    exited.then(([code]) => Promise.reject(new Error(`the server ended with code ${code} before it listened`))),
  ])
  const stop = async () => {
    child.kill('SIGTERM')
    await exited
  }
  /** How late the server's event loop was since the last call, in milliseconds; for a service of one process. */
  const delays = async () => {
    const answer = once(child, 'message')
    child.send({ type: 'delays' })
    const [{ p99, max }] = await answer
    return { p99, max }
  }
  return { url: `http://127.0.0.1:${port}`, port, pid: child.pid, stop, delays }
}

function environment(settings) {
  const { PATH, HOME } = process.env
  return { PATH, HOME, ...settings }
}

/** Where it listens, once all its workers do. Its output is read on whatever becomes of it: it must not block on it. */
function listeningAt(child, workers, onLine) {
  return new Promise((resolve) => {
    let listening = 0
    createInterface({ input: child.stdout }).on('line', (line) => {
      onLine(line)
      if (listening === workers) return
      const { msg, url } = JSON.parse(line)
      if (msg === 'listening' && ++listening === workers) resolve(url)
    })
  })
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return port
}
