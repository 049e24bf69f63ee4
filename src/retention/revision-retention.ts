import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Settings } from '../config/settings.js'
import { errorForLog } from '../logging/error-for-log.js'
import { openRevisionStore } from './open-revision-store.js'
import type { Expiry, RevisionStore } from './revision-store.js'

/** One statement deletes so many: it holds the write lock for some milliseconds. */
const BATCH = 500
/** A start has enough to do. */
const FIRST_AFTER_MS = 60_000
const EVERY_MS = 3_600_000
/** Whoever follows the changes, and was away for no longer than this, can go on where they were. */
const YOUNG_MS = 900_000

/**
 * Deletes revisions that are not to be kept any more, a batch at a time, beside the requests. For the process that is the
 * root of a server: `start()` once the database is there, `stop()` before it goes. Without a limit it does nothing.
 */
export class RevisionRetention {
  #timer: NodeJS.Timeout | undefined
  #sweeping: Promise<void> = Promise.resolve()
  #isStopping = false

  /** @param assertUnchanged throws when the path of the database names another one by now, which must not be opened */
  constructor(
    private readonly settings: Pick<Settings, 'database' | 'revisions'>,
    private readonly logger: Logger,
    private readonly assertUnchanged: () => void = () => undefined,
  ) {}

  start(): void {
    const { keep, maxAgeMs } = this.settings.revisions
    if (keep > 0 || maxAgeMs > 0) this.#schedule(FIRST_AFTER_MS)
  }

  /** Resolves when nothing of it runs any more; what was not deleted yet, the next server deletes. */
  async stop(): Promise<void> {
    this.#isStopping = true
    clearTimeout(this.#timer)
    await this.#sweeping
  }

  /**
   * Goes through all personas once.
   * @param now in milliseconds since the epoch
   * @returns how many revisions were deleted
   */
  async sweep(now = Date.now()): Promise<number> {
    this.assertUnchanged()
    const store = await openRevisionStore(this.settings.database)
    try {
      let deleted = 0
      const expiry = this.#expiryAt(now)
      for (let id = await store.nextPersona(''); id !== null && !this.#isStopping; id = await store.nextPersona(id)) {
        deleted += await this.#prune(store, id, expiry)
        // SQLite answers at once: whoever else waits is served between two personas.
        await nextTurn()
      }
      return deleted
    } finally {
      await store.close()
    }
  }

  #expiryAt(now: number): Expiry {
    const { keep, maxAgeMs } = this.settings.revisions
    return { young: new Date(now - YOUNG_MS), keep, before: maxAgeMs > 0 ? new Date(now - maxAgeMs) : null }
  }

  async #prune(store: RevisionStore, id: string, expiry: Expiry): Promise<number> {
    let deleted = 0
    while (!this.#isStopping) {
      const seqs = await store.expired(id, expiry, BATCH)
      const highest = seqs.at(-1)
      if (highest === undefined) break
      await store.raiseFloor(highest)
      await store.remove(seqs)
      deleted += seqs.length
      await nextTurn()
    }
    return deleted
  }

  #schedule(afterMs: number): void {
    this.#timer = setTimeout(() => {
      this.#sweeping = this.sweep().then(
        (deleted) => this.logger.info({ deleted }, 'revisions that are not kept any more were deleted'),
        (error: unknown) => this.logger.error({ err: errorForLog(error) }, 'revisions could not be deleted'),
      )
      void this.#sweeping.then(() => {
        if (!this.#isStopping) this.#schedule(EVERY_MS)
      })
    }, afterMs)
    this.#timer.unref()
  }
}
