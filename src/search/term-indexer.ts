import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { DatabaseSettings } from '../config/settings.js'
import { errorForLog } from '../logging/error-for-log.js'
import { openTermStore } from './open-term-store.js'
import { nextSteps, type StepLimits } from './term-steps.js'
import type { TermStore } from './term-store.js'

const LIMITS: StepLimits = { entries: 50, bytes: 65_536, terms: 500 }
/** Between two transactions others have their turn. */
const PAUSE_MS = 5
/** Searches look at what is in the queue one by one: it is to stay short. */
const EVERY_MS = 1_000
/** A database that is away, or takes no writes, is not asked again at once. */
const AFTER_FAILURE_MS = 30_000

/**
 * Keeps the index of words and themes, a moment behind the writes: nothing that is acknowledged is missed by a search
 * meanwhile, because searches look into the queue as well. For the process that is the root of a server: `start()` once
 * the database is there, `stop()` before it goes. What was there before the index was, it looks at first of all.
 */
export class TermIndexer {
  #store: TermStore | undefined
  #timer: NodeJS.Timeout | undefined
  #indexing: Promise<unknown> = Promise.resolve()
  #isStopping = false

  /** @param assertUnchanged throws when the path of the database names another one by now, which must not be opened */
  constructor(
    private readonly settings: DatabaseSettings,
    private readonly logger: Logger,
    private readonly assertUnchanged: () => void = () => undefined,
  ) {}

  start(): void {
    // At once: the sooner the database is opened, the surer its path names the one that is served.
    this.#schedule(0)
  }

  /** Resolves when nothing of it runs any more; what is left in the queue, the next server takes from it. */
  async stop(): Promise<void> {
    this.#isStopping = true
    clearTimeout(this.#timer)
    await this.#indexing
    await this.#close()
  }

  /** Empties the queue, as long as nobody else is at it. */
  async drain(): Promise<void> {
    this.assertUnchanged()
    this.#store ??= await openTermStore(this.settings)
    for (let isDone = false; !isDone;) isDone = await this.#drainSome(this.#store)
  }

  /** Answers whether there was nothing to do, or nothing that this one can do now. */
  async #drainSome(store: TermStore): Promise<boolean> {
    const steps = await nextSteps(store, LIMITS)
    for (const step of steps) {
      if (this.#isStopping) return true
      const outcome = await store.apply(step)
      if (outcome === 'busy') return true
      await delay(PAUSE_MS)
      if (outcome === 'void') break
    }
    return steps.length === 0
  }

  #schedule(afterMs: number): void {
    this.#timer = setTimeout(() => {
      this.#indexing = this.#drainOrLog().then((isDone) => {
        if (!this.#isStopping) this.#schedule(isDone ? EVERY_MS : AFTER_FAILURE_MS)
      })
    }, afterMs)
    this.#timer.unref()
  }

  async #drainOrLog(): Promise<boolean> {
    try {
      await this.drain()
      return true
    } catch (error) {
      this.logger.warn({ err: errorForLog(error) }, 'the index of words is behind; searches are right, and slower')
      await this.#close()
      return false
    }
  }

  async #close(): Promise<void> {
    const store = this.#store
    this.#store = undefined
    await store?.close().catch(() => undefined)
  }
}
