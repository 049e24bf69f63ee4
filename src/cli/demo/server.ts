import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { environmentWith } from '../../config/environment.js'
import { settingDefinitions } from '../../config/setting-definitions.js'
import { programFile } from '../../package-root.js'

/** The server gives requests in flight 10 s; this is for one that cannot stop. */
const STOP_TIMEOUT_MS = 12_000

/** The real server as a child process, on a free port and in a temporary folder that holds its database. */
export class DemoServer {
  #folder: string | undefined
  #child: ChildProcess | undefined

  constructor(private readonly workers: number) {}

  /**
   * Answers the URL when all workers listen.
   * @throws Error with what the server said when it does not start
   */
  async start(): Promise<string> {
    this.#folder = mkdtempSync(join(tmpdir(), 'gator-demo-'))
    const child = spawn(process.execPath, [programFile('main')], {
      cwd: this.#folder,
      env: environmentWith({ ...defaults(), ...this.#settings(this.#folder) }),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    let faults = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (faults += text))
    let url: string | undefined
    for await (const text of createInterface({ input: child.stdout })) {
      const line = JSON.parse(text) as { msg?: unknown; url?: unknown }
      if (typeof line.url === 'string') url = line.url
      if (url !== undefined && line.msg === 'all workers listen') {
        // Its output is still taken, or it would wait for a reader some day.
        child.stdout.resume()
        return url
      }
    }
    throw new Error(`The server did not start.\n${faults}`.trimEnd())
  }

  /** Stops the server and removes its folder. */
  async end(): Promise<void> {
    const child = this.#child
    if (child && isRunning(child)) {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
      await exited
      clearTimeout(timer)
    }
    this.#removeFolder()
  }

  /** What is left of {@link end} when this process is ending and nothing can be waited for. */
  abandon(): void {
    if (this.#child && isRunning(this.#child)) this.#child.kill('SIGKILL')
    this.#removeFolder()
  }

  #settings(folder: string): Record<string, string> {
    return {
      PORT: '0',
      WORKERS: String(this.workers),
      DATABASE_URL: `file:${join(folder, 'gator.db')}`,
      LOG_LEVEL: 'info',
      LOG_FORMAT: 'json',
    }
  }

  #removeFolder(): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** An empty setting is its default: what is set for the person's own server does not reach the demo's. */
function defaults(): Record<string, string> {
  return Object.fromEntries(Object.keys(settingDefinitions).map((name) => [name, '']))
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}
