import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import type { TestDatabase } from '../support/databases.js'

const SCRIPT = fileURLToPath(new URL('hold-lock.mjs', import.meta.url))

/** Somebody who has nothing to do with the server and takes what its writes need: no read needs it. */
export interface LockHolder {
  /** Resolves when it holds the lock. */
  take(): Promise<void>
  /** Resolves when the lock is free again. */
  release(): Promise<void>
  end(): Promise<void>
}

/** A holder of SQLite's write lock, or of the lock of every row that is there on PostgreSQL. */
export function lockHolderOf({ name, url }: TestDatabase): LockHolder {
  return name === 'SQLite' ? new ForeignProcess(url.replace(/^file:/, '')) : new ForeignSession(url)
}

class ForeignProcess implements LockHolder {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #answers: Interface

  constructor(file: string) {
    this.#child = spawn(process.execPath, [SCRIPT, file], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child.stdin.on('error', () => undefined)
    this.#answers = createInterface({ input: this.#child.stdout })
  }

  take(): Promise<void> {
    return this.#command('take')
  }

  release(): Promise<void> {
    return this.#command('release')
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }

  async #command(command: string): Promise<void> {
    const answered = once(this.#answers, 'line')
    this.#child.stdin.write(`${command}\n`)
    await answered
  }
}

class ForeignSession implements LockHolder {
  #client: pg.Client | undefined

  constructor(private readonly url: string) {}

  async take(): Promise<void> {
    const client = new pg.Client({ connectionString: this.url })
    this.#client = client
    await client.connect()
    await client.query('BEGIN')
    await client.query('SELECT id FROM personas FOR UPDATE')
  }

  async release(): Promise<void> {
    await this.#client?.query('COMMIT')
    await this.end()
  }

  async end(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    await client?.end()
  }
}
