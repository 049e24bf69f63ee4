/** A burst of commits is one signal; it costs the server a transaction. */
const AT_MOST_EVERY_MS = 5

/** The channel on which workers tell each other that something was committed; PostgreSQL keeps it within the database. */
export const COMMIT_CHANNEL = 'gator_commits'

/**
 * What sends a signal, as a statement of its own. A NOTIFY inside of the transaction that it tells of would make all of them
 * commit one after the other, sync of the disk included: PostgreSQL takes one lock for all of its databases there
 * (PreCommit_Notify in src/backend/commands/async.c). This one has nothing to keep, so it does not wait for the disk.
 */
export const SIGNAL = `SELECT set_config('synchronous_commit', 'off', true), pg_notify('${COMMIT_CHANNEL}', '')`

/**
 * Tells the other processes of commits, after they were made: at once, and then no more often than every
 * {@link AT_MOST_EVERY_MS}. A signal that is lost is nobody's loss but time: those who wait look by themselves, too.
 */
export class CommitSignal {
  #timer: NodeJS.Timeout | undefined
  #isDue = false

  constructor(private readonly send: () => Promise<unknown>) {}

  committed(): void {
    this.#isDue = true
    if (this.#timer === undefined) this.#sendDue()
  }

  /** Nothing is sent any more. */
  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#isDue = false
  }

  #sendDue(): void {
    this.#timer = undefined
    if (!this.#isDue) return
    this.#isDue = false
    this.#timer = setTimeout(() => this.#sendDue(), AT_MOST_EVERY_MS)
    this.send().catch(() => undefined)
  }
}
