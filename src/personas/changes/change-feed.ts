import type { Readable, Writable } from 'node:stream'
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common'
import type { Logger } from 'pino'
import { KeyRing } from '../../access/key-ring.js'
import { SETTINGS } from '../../config/config.module.js'
import type { Settings } from '../../config/settings.js'
import { Database } from '../../database/database.js'
import { LOGGER } from '../../logging/logging.module.js'
import { ChangeObserver } from './change-observer.js'
import { ChangeSource } from './change-source.js'
import { ChangeStream } from './change-stream.js'
import { ChangeTail } from './change-tail.js'
import { TooManyListenersError } from './change.errors.js'

/** The streams of this process, which share one {@link ChangeTail}; without any nothing is watched or read. */
@Injectable()
export class ChangeFeed implements OnModuleDestroy {
  #tail: Promise<ChangeTail> | undefined
  /** What says whether each stream may go on. */
  readonly #permissions = new Map<ChangeStream, () => boolean>()
  readonly #stopWatching: () => void
  #listeners = 0
  #isClosed = false

  constructor(
    private readonly database: Database,
    private readonly source: ChangeSource,
    private readonly observer: ChangeObserver,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(LOGGER) private readonly logger: Logger,
    keys: KeyRing,
  ) {
    this.#stopWatching = keys.watch(() => this.#endUnpermitted())
  }

  /**
   * A stream of Server-Sent Events, after the event of an id or from now on.
   * @param response what it will be piped into
   * @param isPermitted asked again and again: a stream goes on for hours, and a key may be revoked meanwhile
   * @throws TooManyListenersError, or what the database answers when it cannot be read
   */
  async open(id: string | undefined, response: Writable, isPermitted: () => boolean): Promise<Readable> {
    if (this.#isClosed || this.#listeners >= this.settings.server.maxListeners) throw new TooManyListenersError()
    this.#count(1)
    try {
      const tail = await (this.#tail ??= this.#openTail())
      if (this.#isClosed) throw new TooManyListenersError()
      const stream = new ChangeStream(tail, response, () => {
        tail.remove(stream)
        this.#permissions.delete(stream)
        this.#count(-1)
      })
      tail.add(stream)
      this.#permissions.set(stream, isPermitted)
      stream.begin(id)
      return stream
    } catch (error) {
      this.#count(-1)
      throw error
    }
  }

  /** Ends all streams at once: their clients go on at another worker, where they were. */
  onModuleDestroy(): void {
    this.#isClosed = true
    this.#stopWatching()
    this.#closeTail()
  }

  #endUnpermitted(): void {
    for (const [stream, isPermitted] of this.#permissions) if (!isPermitted()) stream.end()
  }

  #openTail(): Promise<ChangeTail> {
    const { source, observer, logger, database } = this
    const opening = ChangeTail.open({ source, observer, logger, database })
    // The next one tries again.
    opening.catch(() => {
      if (this.#tail === opening) this.#tail = undefined
    })
    return opening
  }

  #count(change: 1 | -1): void {
    this.#listeners += change
    this.observer.onListeners(this.#listeners)
    if (this.#listeners === 0) this.#closeTail()
  }

  #closeTail(): void {
    this.#tail?.then(
      (tail) => tail.close(),
      () => undefined,
    )
    this.#tail = undefined
  }
}
