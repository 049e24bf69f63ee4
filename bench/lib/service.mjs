import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../dist/bundle/main.js', import.meta.url))

/** Starts the built service with these settings and no others, on a free port; answers its address and how to end it. */
export async function startService(folder, settings) {
  const { PATH, HOME } = process.env
  const env = { PATH, HOME, PORT: '0', LOG_FORMAT: 'json', LOG_SQL: 'false', ...settings }
  const child = spawn(process.execPath, [MAIN], { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const url = await Promise.race([
    listeningAt(child, Number(settings.WORKERS ?? 1)),
    exited.then(([code]) => Promise.reject(new Error(`the service ended with code ${code}`))),
  ])
  const stop = async () => {
    child.kill('SIGTERM')
    await exited
  }
  return { url, stop }
}

/** Where it listens, once all its workers do. Its output is read on, and thrown away: it must not block on it. */
function listeningAt(child, workers) {
  return new Promise((resolve) => {
    let listening = 0
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (listening === workers) return
      const { msg, url } = JSON.parse(line)
      if (msg === 'listening' && ++listening === workers) resolve(url)
    })
  })
}
