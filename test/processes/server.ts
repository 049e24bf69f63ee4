import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { childrenOf, stillRunning } from './process-table.js'
import { until } from './until.js'

const BUNDLE = fileURLToPath(new URL('../../dist/bundle/main.js', import.meta.url))
/** The same, module by module: for a hook that looks for one of them. */
const MODULES = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const START_TIMEOUT_MS = 25_000
/** A server cuts off requests after 10 s; one that still runs after this is stuck. */
const STOP_TIMEOUT_MS = 14_000

/**
 * A quarter of what a start costs goes into optimising what runs once. A server that lives for a few requests is better
 * off without, and so are the tests: it does the same, slower.
 */
const WITHOUT_OPTIMISING = ['--no-opt']

export interface ServerOptions {
  /** The working folder of the process; its database is `gator.db` there unless `env` says otherwise. */
  readonly folder: string
  readonly workers?: number
  readonly env?: Readonly<Record<string, string>>
  /** Whether its speed matters; see {@link WITHOUT_OPTIMISING}. */
  readonly isMeasured?: boolean
  /** Whether it is to be loaded module by module. */
  readonly isUnbundled?: boolean
}

/** A line of the server's JSON log. */
export interface LogLine {
  readonly msg: string
  readonly [field: string]: unknown
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** The built server as a child process, on a free port of 127.0.0.1. */
export class ServerProcess {
  readonly lines: LogLine[] = []
  readonly pid: number
  /** Resolves when the process has ended and nobody writes to its output any more: no worker is left. */
  readonly closed: Promise<Exit>
  stderr = ''
  readonly #child: ChildProcess
  readonly #workers: number
  #hasClosed = false

  constructor({ folder, workers = 1, env = {}, isMeasured = false, isUnbundled = false }: ServerOptions) {
    this.#workers = workers
    const main = isUnbundled ? MODULES : BUNDLE
    this.#child = spawn(process.execPath, [...(isMeasured ? [] : WITHOUT_OPTIMISING), main], {
      cwd: folder,
      env: { ...inherited(), ...defaults(workers), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.pid = this.#child.pid ?? 0
    this.closed = this.#collect()
  }

  /** Where it listens. The process chose the port itself. */
  get url(): string {
    const url = this.lines.find((line) => typeof line['url'] === 'string')?.['url']
    if (typeof url !== 'string') throw new Error('The server does not listen yet.')
    return url
  }

  /**
   * Waits until it answers.
   * @throws Error with what it said when the process ends instead
   */
  async ready(): Promise<this> {
    const message = this.#workers > 1 ? 'all workers listen' : 'listening'
    await this.line(message, START_TIMEOUT_MS)
    const answer = await fetch(`${this.url}/health/ready`, { headers: { connection: 'close' } })
    if (!answer.ok) throw new Error(`The server is not ready: ${await answer.text()}`)
    return this
  }

  /** Waits for a log line, and answers the first one with this text. */
  line(message: string, timeoutMs?: number): Promise<LogLine> {
    const found = () => {
      const line = this.linesWith(message)[0]
      if (!line && this.#hasClosed) throw new Error(`The server ended before it logged "${message}":\n${this.output}`)
      return line
    }
    return until(`the log line "${message}"`, found, timeoutMs)
  }

  linesWith(message: string): LogLine[] {
    return this.lines.filter(({ msg }) => msg === message)
  }

  /** Everything that it wrote. */
  get output(): string {
    return this.lines.map((line) => JSON.stringify(line)).join('\n') + this.stderr
  }

  workerPids(): Promise<number[]> {
    return childrenOf(this.pid)
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Stops it in order. */
  async stop(): Promise<Exit> {
    if (!this.#hasClosed) this.kill('SIGTERM')
    await this.#closedWithin(STOP_TIMEOUT_MS)
    return this.closed
  }

  /** Ends it and its workers, whatever state it is in. */
  async end(): Promise<void> {
    if (this.#hasClosed) return
    const workers = await this.workerPids()
    this.kill('SIGKILL')
    await until('the workers are gone', async () => (await stillRunning(workers)).length === 0).catch(() => {
      for (const pid of workers) process.kill(pid, 'SIGKILL')
    })
    await this.closed
  }

  #closedWithin(timeoutMs: number): Promise<true> {
    return until('the server has stopped', () => this.#hasClosed, timeoutMs)
  }

  async #collect(): Promise<Exit> {
    const { stdout, stderr } = this.#child
    if (!stdout || !stderr) throw new Error('The process has no output.')
    createInterface({ input: stdout }).on('line', (line) => this.lines.push(parseLine(line)))
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    await once(this.#child, 'close')
    this.#hasClosed = true
    return { code: this.#child.exitCode, signal: this.#child.signalCode }
  }
}

/** What a child needs to run at all. No setting of the person who runs the tests reaches the server. */
function inherited(): Record<string, string> {
  const { PATH = '', HOME = '', TMPDIR = '' } = process.env
  return { PATH, HOME, ...(TMPDIR && { TMPDIR }) }
}

function defaults(workers: number): Record<string, string> {
  return {
    HOST: '127.0.0.1',
    PORT: '0',
    WORKERS: String(workers),
    LOG_FORMAT: 'json',
    DATABASE_URL: 'file:./gator.db',
  }
}

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine
  } catch {
    return { msg: line }
  }
}
