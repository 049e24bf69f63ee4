import Database from 'better-sqlite3'

/** The statement with which the engine keeps a second migration out. */
const LOCK_STATEMENT = /^\s*PRAGMA\s+main\.locking_mode\s*=\s*EXCLUSIVE\s*$/i

/** The native engine's own switch, with its own reading of "0". */
const IS_DISABLED = !['', '0'].includes(process.env.PRISMA_SCHEMA_DISABLE_ADVISORY_LOCK ?? '')

/**
 * Lets one migration at a time run on a database file. The engine's own way, SQLite's exclusive locking mode, cannot be
 * had in WAL mode while any other process (the server) merely has the file open. This one is an empty SQLite file beside
 * the database, locked by an exclusive transaction: the operating system releases it when its process ends, however it
 * ends. The file stays, since removing it could let two processes each lock a file of that name.
 */
export class MigrationLock {
  #path
  #timeoutMs
  #holder

  /**
   * @param {string} databaseFile
   * @param {number} timeoutMs how long to wait for a migration that is running
   */
  constructor(databaseFile, timeoutMs) {
    this.#path = `${databaseFile}-migrate-lock`
    this.#timeoutMs = timeoutMs
  }

  /**
   * Whether this statement is the engine's request for the lock.
   * @param {string} sql
   */
  isRequestedBy(sql) {
    return LOCK_STATEMENT.test(sql)
  }

  /**
   * Waits for the lock; a no-op when it is held already or PRISMA_SCHEMA_DISABLE_ADVISORY_LOCK is set.
   * @returns {number} the count of rows that the statement would have changed
   */
  acquire() {
    if (this.#holder || IS_DISABLED) return 0
    const holder = new Database(this.#path, { timeout: this.#timeoutMs })
    try {
      holder.exec('BEGIN EXCLUSIVE')
    } catch (error) {
      holder.close()
      if (error.code !== 'SQLITE_BUSY') throw error
      const message = `Another migration has been running on this database for ${this.#timeoutMs} ms. Try again when it has ended.`
      throw new Error(message, { cause: error })
    }
    this.#holder = holder
    return 0
  }

  release() {
    this.#holder?.close()
    this.#holder = undefined
  }
}
