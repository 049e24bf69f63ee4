import { statSync } from 'node:fs'

/**
 * Which file a path named when it was opened. SQLite goes on with the file that it has open when the path is given to
 * another one (a restore, a deployment): what it commits then is seen by nobody who opens the path anew.
 */
export class FileIdentity {
  #remembered: { readonly dev: number; readonly ino: number } | undefined

  constructor(private readonly file: string) {}

  /** Remembers the file that the path names now: the one that has just been opened. */
  remember(): void {
    this.#remembered = statSync(this.file)
  }

  /** @throws an error with SQLite's own code for this, `SQLITE_READONLY_DBMOVED`, when the path names another file, or none */
  assertUnchanged(): void {
    const now = statSync(this.file, { throwIfNoEntry: false })
    if (now?.dev === this.#remembered?.dev && now?.ino === this.#remembered?.ino) return
    const what = now ? 'replaced by another file' : 'removed'
    const error = new Error(`the database file was ${what} while it was open: ${this.file}`)
    throw Object.assign(error, { code: 'SQLITE_READONLY_DBMOVED' })
  }
}
