import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common'
import type { Logger } from 'pino'
import { SETTINGS } from '../config/config.module.js'
import type { Settings } from '../config/settings.js'
import { Database } from '../database/database.js'
import { errorForLog } from '../logging/error-for-log.js'
import { LOGGER } from '../logging/logging.module.js'
import { IdempotencyStore } from './idempotency.store.js'

const SWEEP_EVERY_MS = 600_000
/** As many as one statement removes in a few milliseconds: others wait for the write lock meanwhile. */
const BATCH = 500

/**
 * Removes the keys that are no longer kept, beside the requests. Each worker does, at a time of its own, and mostly finds
 * nothing; their deletes take turns with all other writes.
 */
@Injectable()
export class IdempotencySweeper implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #store: IdempotencyStore
  #timer: NodeJS.Timeout | undefined
  #sweeping: Promise<void> = Promise.resolve()
  #isStopped = false

  constructor(
    @Inject(Database) database: Database,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.#store = new IdempotencyStore(database)
  }

  onApplicationBootstrap(): void {
    this.#sweepIn(Math.random() * SWEEP_EVERY_MS)
  }

  /** Waits for a batch that is being removed. */
  async onModuleDestroy(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    await this.#sweeping
  }

  /** Removes every key that is no longer kept, batch by batch. */
  async sweep(): Promise<void> {
    const keptSince = new Date(Date.now() - this.settings.idempotency.keepMs)
    let removed: number
    do removed = await this.#store.removeExpired(keptSince, BATCH)
    while (removed === BATCH && !this.#isStopped)
  }

  #sweepIn(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#sweeping = this.sweep()
        .catch((error: unknown) => {
          this.logger.warn(
            { err: errorForLog(error) },
            'expired idempotency keys could not be removed; it is tried again',
          )
        })
        .finally(() => {
          if (!this.#isStopped) this.#sweepIn(SWEEP_EVERY_MS)
        })
    }, ms)
    // It is not what keeps a server running.
    this.#timer.unref()
  }
}
