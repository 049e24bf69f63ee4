const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 30_000
/** A worker that served this long had started well: its next death is a first one again. */
const STEADY_MS = 60_000

/**
 * How long to wait before a dead worker is forked again: not at all the first time, then twice as long each time that
 * it dies young.
 */
export class RestartPause {
  #youngDeaths = 0

  /** @param livedMs how long the worker lived; answers the pause in milliseconds */
  next(livedMs: number): number {
    if (livedMs >= STEADY_MS) this.#youngDeaths = 0
    const pause =
      this.#youngDeaths === 0 ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#youngDeaths - 1))
    this.#youngDeaths += 1
    return pause
  }
}
