import type { CommitWatch } from '../commit-watch.js'
import { openBetterSqlite3, type SqliteDriver } from './driver.js'

/** Of the delay that a listener sees, this is the part that is waiting; an idle process is woken as often. */
const ASK_EVERY_MS = 5

/**
 * Notices commits by SQLite's own means: `PRAGMA data_version` of a connection changes when another one, in this process or
 * another, has committed (https://www.sqlite.org/pragma.html#pragma_data_version). It reads a counter in shared memory, and
 * holds no snapshot between two looks.
 */
export class DataVersionWatch implements CommitWatch {
  readonly #driver: SqliteDriver
  readonly #timer: NodeJS.Timeout
  #version: unknown

  /** @throws the driver's error when the file cannot be opened */
  constructor(file: string, onCommit: () => void) {
    this.#driver = openBetterSqlite3(file, { readonly: true, timeoutMs: 0 })
    const statement = this.#driver.prepare<[], number>('PRAGMA data_version').pluck()
    this.#version = statement.get()
    this.#timer = setInterval(() => {
      const version = versionOr(undefined, () => statement.get())
      if (version !== undefined && version === this.#version) return
      this.#version = version
      onCommit()
    }, ASK_EVERY_MS)
    this.#timer.unref()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#driver.close()
  }
}

// A file that cannot be read now (a recovery after a crash) may have changed: whoever reads it is told what is wrong.
function versionOr<T>(otherwise: T, read: () => T): T {
  try {
    return read()
  } catch {
    return otherwise
  }
}
