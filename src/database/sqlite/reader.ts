import { setTimeout as delay } from 'node:timers/promises'
import type { SqliteConnection } from './connection.js'
import { isBusy } from './errors.js'

const RETRY_MS = 1

/**
 * Reads on a connection of their own. Each one is a transaction of its own, begun and ended inside one synchronous call:
 * it sees every commit that any process has made before it, and never what an open transaction has written.
 */
export class Reader {
  constructor(
    private readonly connection: SqliteConnection,
    private readonly busyTimeoutMs: number,
  ) {}

  /**
   * Runs a read. In WAL mode readers wait for nobody but for a recovery after a crash; then it is tried again until the
   * busy timeout is over.
   */
  async run<T>(read: (connection: SqliteConnection) => T): Promise<T> {
    try {
      return read(this.connection)
    } catch (error) {
      if (!isBusy(error)) throw error
    }
    return this.#runAgain(read)
  }

  // Nearly every read is done at once, and most take no longer than to look at a clock would.
  async #runAgain<T>(read: (connection: SqliteConnection) => T): Promise<T> {
    const start = performance.now()
    for (;;) {
      await delay(RETRY_MS)
      try {
        return read(this.connection)
      } catch (error) {
        if (!isBusy(error) || performance.now() - start >= this.busyTimeoutMs) throw error
      }
    }
  }
}
