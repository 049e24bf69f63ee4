import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import type { Logger } from 'pino'
import { workerEnvironment } from '../config/environment.js'
import type { Settings } from '../config/settings.js'
import { RestartPause } from './restart-pause.js'
import { listenFailure, listenForReason, reasonOf, StartFailedError } from './start-failure.js'
import { END_TIMEOUT_MS, SHUTDOWN_TIMEOUT_MS } from './shutdown.js'

interface Slot {
  readonly number: number
  readonly pause: RestartPause
  worker: Worker
  startedAt: number
}

// A worker ends itself when its time is over; this is for one that cannot.
const KILL_MARGIN_MS = 1_000

/** What the workers of one database have in common. */
export interface WorkerCoordination {
  /** Told each worker that is forked, with its slot, before it does anything. */
  onFork(worker: Worker, slot: number): void
  /** Told the slot of each worker that died without being asked to. */
  onDeath(slot: number): void
  /** What a worker must find at the database's path, see `DatabaseIdentity`; undefined where there is no path. */
  readonly databaseFiles: string | undefined
  /** @throws when a worker that is forked now would serve another database than those before it */
  assertUnchanged(): void
}

/**
 * The process that forks workers and keeps them: it serves nothing itself, and holds the port while one of them lives,
 * so that no connection is refused while workers come and go.
 */
export class Primary {
  readonly #slots = new Map<number, Slot>()
  #port = 0
  #isStopping = false
  #hasStarted = false
  #reloading: Promise<void> = Promise.resolve()

  constructor(
    private readonly server: Pick<Settings['server'], 'workers' | 'host' | 'port'>,
    private readonly logger: Logger,
    private readonly coordination: WorkerCoordination,
    /** Called once no worker is left. */
    private readonly afterWorkers: () => Promise<void>,
  ) {}

  /** Forks the workers and answers when all of them listen. When one cannot, all are stopped and it rejects. */
  async start(): Promise<void> {
    process.on('SIGTERM', (signal) => void this.#stop(signal))
    process.on('SIGINT', (signal) => void this.#stop(signal))
    process.on('SIGHUP', () => void this.#reload())
    const { workers, host, port } = this.server
    this.#port = port === 0 ? await freePort(host) : port
    const starting = Array.from({ length: workers }, (_value, index) => {
      const slot: Slot = {
        number: index + 1,
        pause: new RestartPause(),
        worker: this.#fork(index + 1),
        startedAt: Date.now(),
      }
      this.#slots.set(slot.number, slot)
      this.#keep(slot)
      return listening(slot.worker)
    })
    try {
      await Promise.all(starting)
    } catch (error) {
      // Stopped by a signal, which ends this process in order.
      if (this.#isStopping) return
      await this.#stopWorkers()
      throw error
    }
    this.#hasStarted = true
    for (const slot of this.#slots.values()) if (slot.worker.isDead()) this.#refork(slot)
    this.logger.info({ workers }, 'all workers listen')
  }

  #keep(slot: Slot): void {
    const { worker } = slot
    worker.once('exit', (code: number | null, signal: string | null) =>
      this.#restart(slot, worker, { code, signal, reason: reasonOf(worker) }),
    )
    worker.on('error', (error) => {
      // No process at all: the machine has no more of something. Any other error is about a message, or a signal.
      if (worker.process.pid === undefined) this.#restart(slot, worker, { reason: error.message })
      else this.logger.warn({ worker: slot.number, err: error }, 'a worker cannot be reached')
    })
  }

  #restart(slot: Slot, worker: Worker, death: object): void {
    // A worker that was replaced, or stopped, is not missed.
    if (this.#isStopping || !this.#hasStarted || slot.worker !== worker) return
    const wasLast = [...this.#slots.values()].every((other) => other === slot || other.worker.isDead())
    const pauseMs = slot.pause.next(Date.now() - slot.startedAt, wasLast)
    this.logger.error({ worker: slot.number, ...death, pauseMs }, 'a worker died and is started again')
    this.coordination.onDeath(slot.number)
    setTimeout(() => {
      if (!this.#isStopping && slot.worker === worker) this.#refork(slot)
    }, pauseMs)
  }

  #fork(slot: number): Worker {
    const { databaseFiles } = this.coordination
    const worker = cluster.fork(workerEnvironment({ slot, port: this.#port, databaseFiles }))
    listenForReason(worker, (reason) => this.#fail(reason))
    this.coordination.onFork(worker, slot)
    return worker
  }

  #refork(slot: Slot): void {
    if (!this.#mayFork()) return
    try {
      this.#replace(slot, this.#fork(slot.number))
    } catch (error) {
      // For some shortages Node throws, and there is no worker whose error could be listened to.
      slot.startedAt = Date.now()
      this.#restart(slot, slot.worker, { reason: (error as Error).message })
    }
  }

  #mayFork(): boolean {
    try {
      this.coordination.assertUnchanged()
      return true
    } catch (error) {
      this.#fail((error as Error).message)
      return false
    }
  }

  #replace(slot: Slot, worker: Worker): void {
    slot.worker = worker
    slot.startedAt = Date.now()
    this.#keep(slot)
  }

  /** Replaces the workers one after another; each new one listens before the old one stops. */
  #reload(): Promise<void> {
    if (!this.#hasStarted) {
      this.logger.warn('SIGHUP while the workers are starting: they are new already')
      return this.#reloading
    }
    this.#reloading = this.#reloading.then(async () => {
      this.logger.info('reloading the workers, one after another')
      for (const slot of this.#slots.values()) {
        if (this.#isStopping || !(await this.#renew(slot))) return
      }
      this.logger.info('all workers are new')
    })
    return this.#reloading
  }

  async #renew(slot: Slot): Promise<boolean> {
    if (!this.#mayFork()) return false
    let worker: Worker
    try {
      worker = this.#fork(slot.number)
      await listening(worker)
    } catch (error) {
      if (this.#isStopping) return false
      this.logger.error({ err: error, worker: slot.number }, 'the new worker did not start; the old one stays')
      return false
    }
    const old = slot.worker
    this.#replace(slot, worker)
    await stopWorker(old, SHUTDOWN_TIMEOUT_MS + KILL_MARGIN_MS)
    return true
  }

  async #stop(signal: NodeJS.Signals): Promise<void> {
    if (this.#isStopping) return
    this.logger.info({ signal }, 'stopping the workers')
    await this.#stopWorkers()
    process.exit(0)
  }

  /** Stops everything, because no worker can serve any more. */
  #fail(reason: string): void {
    if (this.#isStopping) return
    this.logger.fatal({ reason }, 'stopping the workers')
    void this.#stopWorkers(END_TIMEOUT_MS).then(() => process.exit(1))
  }

  async #stopWorkers(killAfterMs = SHUTDOWN_TIMEOUT_MS + KILL_MARGIN_MS): Promise<void> {
    this.#isStopping = true
    const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined)
    await Promise.all(workers.map((worker) => stopWorker(worker, killAfterMs)))
    await this.afterWorkers()
  }
}

// When the last worker dies the port is closed, and the next one opens it again: it must be the same one then.
async function freePort(host: string): Promise<number> {
  const probe = createServer().listen(0, host)
  await once(probe, 'listening').catch((error: unknown) => {
    throw listenFailure(error, host, 0)
  })
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}

async function listening(worker: Worker): Promise<void> {
  const outcome = new AbortController()
  const { signal } = outcome
  try {
    const isListening = once(worker, 'listening', { signal }).then(() => true)
    const hasExited = once(worker, 'exit', { signal }).then(() => false)
    isListening.catch(() => undefined)
    hasExited.catch(() => undefined)
    if (!(await Promise.race([isListening, hasExited]))) {
      throw new StartFailedError(reasonOf(worker) ?? 'A worker ended before it listened.')
    }
  } finally {
    outcome.abort()
  }
}

async function stopWorker(worker: Worker, killAfterMs: number): Promise<void> {
  if (worker.isDead() || worker.process.pid === undefined) return
  const exited = once(worker, 'exit')
  worker.process.kill('SIGTERM')
  const timer = setTimeout(() => worker.process.kill('SIGKILL'), killAfterMs)
  await exited
  clearTimeout(timer)
}
