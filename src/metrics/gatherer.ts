import { GATHERED, type Gathered, type GatherRequest, isGatherAnswer, type Part } from './gather-messages.js'
import type { WorkerContention } from './contention.js'
import type { ProcessMetrics } from './process-metrics.js'
import type { RootMetrics } from './root-metrics.js'
import { render, type Snapshot, withoutGauges } from './snapshot.js'

/** What all processes of the service measure together, whichever of them is asked. Also the DI token. */
export abstract class Gatherer {
  /**
   * Everything, in Prometheus' text format.
   * @throws PrimarySilentError
   */
  abstract metrics(): Promise<string>

  /**
   * Who waits and who makes others wait, by worker; one that does not answer is left out.
   * @throws PrimarySilentError
   */
  abstract contention(): Promise<WorkerContention[]>

  /** Called when nothing more will be measured. */
  abstract close(): Promise<void>
}

/** The primary, which asks the workers, does not answer. */
export class PrimarySilentError extends Error {
  override readonly name = 'PrimarySilentError'

  constructor() {
    super('The primary process does not answer, which alone can ask every worker.')
  }
}

/** For a process that has no others beside it. */
export class LocalGatherer extends Gatherer {
  constructor(
    private readonly own: ProcessMetrics,
    private readonly root: RootMetrics,
  ) {
    super()
    root.workersAnswered(1)
  }

  override async metrics(): Promise<string> {
    return render([await this.own.snapshot(), await this.root.snapshot()])
  }

  override contention(): Promise<WorkerContention[]> {
    return Promise.resolve([this.own.contention.summary()])
  }

  override close(): Promise<void> {
    this.own.close()
    this.root.close()
    return Promise.resolve()
  }
}

/** The worker's end of the channel to the primary: `process`, in a forked process. */
export interface GatherChannel {
  send?(message: GatherRequest, handle: undefined, options: object, callback: (error: Error | null) => void): boolean
  on(event: 'message', listener: (message: unknown) => void): unknown
  off(event: 'message', listener: (message: unknown) => void): unknown
}

// The primary waits a second for the slowest worker.
const PATIENCE_MS = 3_000

/** For a worker: gives the primary its part, and asks it for everybody's. */
export class WorkerGatherer extends Gatherer {
  readonly #waiters: Record<Gathered, ((parts: readonly Part[]) => void)[]> = { metrics: [], contention: [] }
  readonly #listener = (message: unknown) => this.#hear(message)

  constructor(
    private readonly own: ProcessMetrics,
    private readonly channel: GatherChannel,
    private readonly patienceMs = PATIENCE_MS,
  ) {
    super()
    channel.on('message', this.#listener)
    // The primary asks those alone that have spoken: nothing is said to a worker that cannot hear it yet.
    for (const what of GATHERED) void this.#give(what)
  }

  override async metrics(): Promise<string> {
    const parts = await this.#ask('metrics')
    return render(
      parts.map(({ json, isCurrent }) => {
        const snapshot = JSON.parse(json) as Snapshot
        return isCurrent ? snapshot : withoutGauges(snapshot)
      }),
    )
  }

  override async contention(): Promise<WorkerContention[]> {
    const parts = (await this.#ask('contention')).filter(({ isCurrent }) => isCurrent)
    return parts.map(({ json }) => JSON.parse(json) as WorkerContention)
  }

  // What was counted since the last scrape is told before this worker is gone.
  override async close(): Promise<void> {
    await this.#give('metrics')
    this.channel.off('message', this.#listener)
    this.own.close()
  }

  #ask(what: Gathered): Promise<readonly Part[]> {
    const waiters = this.#waiters[what]
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiters.splice(waiters.indexOf(hear), 1)
        reject(new PrimarySilentError())
      }, this.patienceMs)
      const hear = (parts: readonly Part[]) => {
        clearTimeout(timer)
        resolve(parts)
      }
      // Those who came before share the answer to the question that is under way.
      if (waiters.push(hear) === 1) void this.#say({ gator: 'gather-ask', what })
    })
  }

  #hear(message: unknown): void {
    if (!isGatherAnswer(message)) return
    const { what } = message
    if (message.gator === 'gather-all') for (const hear of this.#waiters[what].splice(0)) hear(message.parts)
    else void this.#give(what)
  }

  async #give(what: Gathered): Promise<void> {
    const part = what === 'metrics' ? await this.own.snapshot() : this.own.contention.summary()
    await this.#say({ gator: 'gather-part', what, json: JSON.stringify(part) })
  }

  #say(message: GatherRequest): Promise<void> {
    return new Promise((resolve) => {
      if (!this.channel.send) resolve()
      else this.channel.send(message, undefined, {}, () => resolve())
    })
  }
}
