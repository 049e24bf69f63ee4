import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

/** A script of this folder that has nothing to do with the server, and works on its database until it is told to end. */
export class ForeignProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: Interface

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>) {
    this.#child = child
    this.#lines = createInterface({ input: child.stdout })
  }

  /** Starts it and waits until it says that it has begun. */
  static async start(script: string, ...args: string[]): Promise<ForeignProcess> {
    const path = fileURLToPath(new URL(script, import.meta.url))
    const foreign = new ForeignProcess(spawn(process.execPath, [path, ...args], { stdio: ['pipe', 'pipe', 'inherit'] }))
    await once(foreign.#lines, 'line')
    return foreign
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Ends it, and answers the lines that it says at its end. */
  async end(): Promise<string[]> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return []
    const said: string[] = []
    this.#lines.on('line', (line) => said.push(line))
    const closed = once(this.#child, 'close')
    this.#child.stdin.end()
    await closed
    return said
  }
}
