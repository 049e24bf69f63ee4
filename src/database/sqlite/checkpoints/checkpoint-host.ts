import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { programFile } from '../../../package-root.js'
import type { CheckpointObserver } from './checkpointer.js'
import { type CheckpointNews, type CheckpointThreadOptions, END } from './messages.js'

export interface CheckpointHostOptions extends CheckpointThreadOptions {
  readonly observer: CheckpointObserver
  /** The thread has ended without being told to; another one is started after a pause. */
  readonly onDeath: (reason: unknown) => void
}

const RESTART_AFTER_MS = 1_000
/** Long enough for a large WAL on a slow disk. */
const CLOSE_TIMEOUT_MS = 5_000

/**
 * The checkpoints of a database, in a thread of the process that starts a server: a checkpoint waits for the disk, and
 * nobody's request is to wait with it.
 */
export class CheckpointHost {
  readonly #options: CheckpointHostOptions
  #thread: Worker | undefined
  #isEnding = false

  constructor(options: CheckpointHostOptions) {
    this.#options = options
    this.#start()
  }

  /** Ends the thread. Its connection may be the last one, and then SQLite checkpoints what there is and removes the WAL. */
  async close(): Promise<void> {
    this.#isEnding = true
    const thread = this.#thread
    if (!thread) return
    const isOver = once(thread, 'exit')
    thread.postMessage(END)
    const timer = setTimeout(() => void thread.terminate(), CLOSE_TIMEOUT_MS)
    await isOver
    clearTimeout(timer)
  }

  #start(): void {
    const { file, synchronous, limits, observer, onDeath } = this.#options
    const workerData: CheckpointThreadOptions = { file, synchronous, limits }
    const thread = new Worker(programFile('checkpoint-thread'), { workerData, name: 'checkpoints' })
    this.#thread = thread
    thread.on('message', ({ call, event }: CheckpointNews) => {
      ;(observer[call] as ((event: unknown) => void) | undefined)?.(event)
    })
    let reason: unknown = 'it ended'
    thread.on('error', (error) => (reason = error))
    thread.once('exit', () => {
      this.#thread = undefined
      if (this.#isEnding) return
      onDeath(reason)
      setTimeout(() => {
        if (!this.#isEnding) this.#start()
      }, RESTART_AFTER_MS).unref()
    })
    // It is not what keeps a server running.
    thread.unref()
  }
}
