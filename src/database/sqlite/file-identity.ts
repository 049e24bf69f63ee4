import { statSync } from 'node:fs'

interface Identity {
  readonly dev: bigint
  readonly ino: bigint
}

/**
 * Which file a path named when it was opened. SQLite goes on with the file that it has open when the path is given to
 * another one (a restore, a deployment): what it commits then is seen by nobody who opens the path anew.
 */
export class FileIdentity {
  #remembered: Identity | undefined

  constructor(readonly file: string) {}

  /** Remembers the file that the path names now: the one that has just been opened. */
  remember(): void {
    this.#remembered = this.#look()
  }

  /** The device and the number of the file that is remembered, as another process can compare them. */
  toString(): string {
    return this.#remembered ? `${this.#remembered.dev}:${this.#remembered.ino}` : 'none'
  }

  /**
   * @throws an error with SQLite's own code for this, `SQLITE_READONLY_DBMOVED`, when the path names another file, or
   * none, or cannot be looked up any more
   */
  assertUnchanged(): void {
    const now = this.#look()
    if (now?.dev === this.#remembered?.dev && now?.ino === this.#remembered?.ino) return
    throw databaseMoved(`${this.file} was ${now ? 'replaced by another file' : 'removed'} while it was open`)
  }

  /** Whether the path names the file that is remembered. */
  isThere(): boolean {
    const now = this.#look()
    return now !== undefined && now.dev === this.#remembered?.dev && now.ino === this.#remembered.ino
  }

  #look(): Identity | undefined {
    try {
      // Some file systems number their files beyond 2^53.
      return statSync(this.file, { throwIfNoEntry: false, bigint: true })
    } catch (error) {
      throw databaseMoved(`${this.file} cannot be looked up: ${String(error)}`)
    }
  }
}

/**
 * The files that are one database in WAL mode. Whoever opens the path finds the `-wal` and the `-shm` beside it by their
 * names: without the same two files, two processes have neither the commits nor the locks in common.
 */
export class DatabaseIdentity {
  readonly #files: readonly FileIdentity[]

  constructor(file: string) {
    this.#files = [file, `${file}-wal`, `${file}-shm`].map((name) => new FileIdentity(name))
  }

  /**
   * Remembers the files; while a connection is open, SQLite keeps all three.
   * @param expected what they must be, as {@link toString} spells it, or the database file alone
   * @throws SQLITE_READONLY_DBMOVED when they are others
   */
  remember(expected?: string): void {
    for (const file of this.#files) file.remember()
    if (expected === undefined || `${String(this)},`.startsWith(`${expected},`)) return
    throw databaseMoved('is not the one that the other processes have open')
  }

  /** All files, as another process can compare them. */
  toString(): string {
    return this.#files.join()
  }

  /**
   * The `-wal` and `-shm` of a database that lies elsewhere now: whoever opens the file that has taken its name would
   * take them for that one's, and ruin it.
   */
  orphans(): string[] {
    const [database, ...beside] = this.#files
    return database?.isThere() === false ? beside.filter((file) => file.isThere()).map(({ file }) => file) : []
  }

  /** @throws as {@link FileIdentity.assertUnchanged}, for any of the files */
  assertUnchanged(): void {
    for (const file of this.#files) file.assertUnchanged()
  }
}

function databaseMoved(message: string): Error {
  return Object.assign(new Error(`the database file ${message}`), { code: 'SQLITE_READONLY_DBMOVED' })
}
