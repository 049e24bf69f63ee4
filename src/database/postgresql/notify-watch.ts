import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { CommitWatch } from '../commit-watch.js'
import { COMMIT_CHANNEL } from './commit-signal.js'
import { clientConfigOf, isPooled } from './connection-config.js'

/** How long a commit goes unnoticed that nobody has told of: a raw write, or one while the connection was away. */
const SWEEP_EVERY_MS = 1_000
const CONNECT_TIMEOUT_MS = 5_000
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 10_000

/**
 * Listens to the {@link COMMIT_CHANNEL} on a connection of its own, which is made again whenever it is lost, and calls back
 * every second besides.
 */
export class NotifyWatch implements CommitWatch {
  readonly #sweep: NodeJS.Timeout
  readonly #ending = new AbortController()

  /** @param url of the server itself; null where there is only a pooler, which passes no notifications on */
  constructor(
    url: string | null,
    private readonly onCommit: () => void,
  ) {
    this.#sweep = setInterval(onCommit, SWEEP_EVERY_MS)
    this.#sweep.unref()
    if (url !== null) void this.#keepListening({ ...clientConfigOf(url), connectionTimeoutMillis: CONNECT_TIMEOUT_MS })
  }

  close(): void {
    clearInterval(this.#sweep)
    this.#ending.abort()
  }

  async #keepListening(config: pg.ClientConfig): Promise<void> {
    const { signal } = this.#ending
    let pauseMs = FIRST_PAUSE_MS
    while (!signal.aborted) {
      const hasListened = await this.#listen(config)
      pauseMs = hasListened ? FIRST_PAUSE_MS : Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
      await delay(pauseMs, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  /** Listens until the connection is lost. @returns whether it ever did */
  async #listen(config: pg.ClientConfig): Promise<boolean> {
    const { signal } = this.#ending
    const client = new pg.Client(config)
    // The end of the connection, which follows, says enough.
    client.on('error', () => undefined)
    client.on('notification', () => {
      if (!signal.aborted) this.onCommit()
    })
    try {
      await client.connect()
      await client.query(`LISTEN ${COMMIT_CHANNEL}`)
      if (signal.aborted) return true
      // What was committed meanwhile.
      this.onCommit()
      await once(client, 'end', { signal }).catch(() => undefined)
      return true
    } catch {
      return false
    } finally {
      void client.end().catch(() => undefined)
    }
  }
}

/** Where a process can listen: the server itself; null when there is only a pooler. */
export function listeningUrlOf(url: string, directUrl: string | null): string | null {
  return directUrl ?? (isPooled(url) ? null : url)
}
