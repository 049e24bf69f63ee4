const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 30_000
/** Without a worker connections are refused. To start one takes a second of a processor, also when it fails each time. */
const LONGEST_OUTAGE_MS = 2_000
/** A worker that served this long had started well: its next death is a first one again. */
const STEADY_MS = 60_000

/**
 * How long to wait before a dead worker is forked again: not at all the first time, then twice as long each time that
 * it dies young; of the last one that lived, nobody waits for long.
 */
export class RestartPause {
  #youngDeaths = 0

  /**
   * @param livedMs how long the worker lived
   * @param wasLast whether no other worker lives
   * @returns the pause in milliseconds
   */
  next(livedMs: number, wasLast: boolean): number {
    if (livedMs >= STEADY_MS) this.#youngDeaths = 0
    const longest = wasLast ? LONGEST_OUTAGE_MS : LONGEST_PAUSE_MS
    const pause = this.#youngDeaths === 0 ? 0 : Math.min(longest, FIRST_PAUSE_MS * 2 ** (this.#youngDeaths - 1))
    this.#youngDeaths += 1
    return pause
  }
}
