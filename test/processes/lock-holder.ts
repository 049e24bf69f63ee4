import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('hold-lock.mjs', import.meta.url))

/** A process that has nothing to do with the server and takes the write lock of its database. */
export class LockHolder {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #answers: Interface

  constructor(file: string) {
    this.#child = spawn(process.execPath, [SCRIPT, file], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child.stdin.on('error', () => undefined)
    this.#answers = createInterface({ input: this.#child.stdout })
  }

  /** Resolves when it holds the lock. */
  take(): Promise<void> {
    return this.#command('take')
  }

  /** Resolves when the lock is free again. */
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
