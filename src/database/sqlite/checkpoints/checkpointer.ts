import type { SqliteDriver } from '../driver.js'
import { sqliteCodeOf } from '../errors.js'
import {
  backlogOf,
  bytesInUse,
  type CheckpointLimits,
  type CheckpointMode,
  dueCheckpoint,
  FILE_FACTOR,
  MOST_FRAMES_LEFT,
  pauseAfter,
  type WalState,
} from './checkpoint-policy.js'
import { shrinkWal } from './shrink-wal.js'
import { walBytesOf, walCheckpoint } from './wal-checkpoint.js'
import { readersOf, type WalReader } from './wal-readers.js'

/** `partial`: a reader, or what was written meanwhile, is left; `busy`: somebody was in the way for too long. */
export type CheckpointOutcome = 'ok' | 'partial' | 'busy' | 'error'

export interface CheckpointReport {
  readonly mode: CheckpointMode
  readonly outcome: CheckpointOutcome
  readonly durationMs: number
  /** After it. */
  readonly frames: number
  readonly checkpointed: number
  /** SQLite's code, for `error`. */
  readonly code?: string | undefined
}

/** What the checkpointer tells. Every call is synchronous and must not throw. */
export interface CheckpointObserver {
  onLook?(event: { readonly walBytes: number; readonly backlogFrames: number }): void
  onCheckpoint?(report: CheckpointReport): void
  /** The WAL could not be checkpointed for a while, because somebody still reads what is in it. */
  onPinned?(event: {
    readonly sinceMs: number
    readonly walBytes: number
    readonly readers: readonly WalReader[]
  }): void
  /** The WAL is so many times as large as it should be; told at each doubling. */
  onGrown?(event: { readonly walBytes: number; readonly readers: readonly WalReader[] }): void
}

const PASSIVE_ATTEMPTS = 3
/** A reader that stands in the way for longer is told of, and again every so often. */
const PINNED_MS = 5_000
const PINNED_AGAIN_MS = 60_000

/**
 * Decides when the WAL is copied into the database file, and does it, on a connection of its own whose busy timeout
 * bounds how long writers may be stopped. Synchronous: for a thread, or a process, that serves nobody.
 */
export class Checkpointer {
  readonly #driver: SqliteDriver
  readonly #limits: CheckpointLimits
  readonly #observer: CheckpointObserver
  readonly #pageBytes: number
  #lastAt: number
  #unchangedSince: number
  #lastSeen = ''
  #failures = 0
  #retryAt = -Infinity
  #errors = 0
  /** After an error of the disk: nothing before this. */
  #restUntil = -Infinity
  #stuckSince: number | undefined
  #pinnedToldAt = -Infinity
  #grownTold: number

  /** @param now on the clock that each look is given, in milliseconds */
  constructor(driver: SqliteDriver, limits: CheckpointLimits, observer: CheckpointObserver, now: number) {
    this.#driver = driver
    this.#limits = limits
    this.#observer = observer
    this.#pageBytes = Number(driver.pragma('page_size', { simple: true }))
    this.#lastAt = now
    this.#unchangedSince = now
    this.#grownTold = limits.truncateBytes * (FILE_FACTOR / 2)
  }

  /** Looks at the WAL, and checkpoints it when that is due; answers whether much is going on. */
  look(now: number): boolean {
    const before = this.#read()
    const seen = `${before.frames}/${before.fileBytes}`
    if (seen !== this.#lastSeen) this.#unchangedSince = now
    this.#lastSeen = seen
    const history = { lastAt: this.#lastAt, unchangedSince: this.#unchangedSince, retryAt: this.#retryAt }
    const mode = now < this.#restUntil ? null : dueCheckpoint(before, this.#limits, history, now)
    if (mode && !this.#limits.isLookOnly) this.#judge(before, mode, this.#run(mode), now)
    const wal = mode ? this.#read() : before
    this.#observer.onLook?.({ walBytes: wal.fileBytes, backlogFrames: backlogOf(wal) })
    this.#warn(wal, now)
    return backlogOf(wal) > 0
  }

  // What stops the writers is tried only when there is little left to copy.
  #run(mode: CheckpointMode): CheckpointReport {
    let report = this.#checkpoint('PASSIVE')
    if (mode === 'PASSIVE') return report
    for (let attempt = 1; attempt < PASSIVE_ATTEMPTS && hasMuchLeft(report); attempt++) {
      const { checkpointed } = report
      report = this.#checkpoint('PASSIVE')
      if (report.checkpointed === checkpointed) break
    }
    if (hasMuchLeft(report) || report.outcome === 'error') return report
    if (mode === 'TRUNCATE') {
      try {
        shrinkWal(this.#driver)
      } catch {
        // Whatever it is, the checkpoint meets it too, and tells.
      }
    }
    return this.#checkpoint(mode)
  }

  #checkpoint(mode: CheckpointMode): CheckpointReport {
    const start = performance.now()
    const report = (outcome: CheckpointOutcome, frames: number, checkpointed: number, code?: string) => {
      const done = { mode, outcome, durationMs: performance.now() - start, frames, checkpointed, code }
      this.#observer.onCheckpoint?.(done)
      return done
    }
    try {
      const { isBusy, frames, checkpointed } = walCheckpoint(this.#driver, mode)
      if (isBusy) return report('busy', frames, checkpointed)
      return report(checkpointed < frames ? 'partial' : 'ok', frames, checkpointed)
    } catch (error) {
      return report('error', 0, 0, sqliteCodeOf(error) ?? String(error))
    }
  }

  #judge(before: WalState, due: CheckpointMode, report: CheckpointReport, now: number): void {
    this.#lastAt = now
    this.#errors = report.outcome === 'error' ? this.#errors + 1 : 0
    this.#restUntil = this.#errors > 0 ? now + pauseAfter(this.#errors) : -Infinity
    if (due !== 'PASSIVE') {
      const isDone = report.mode === due && report.outcome === 'ok'
      this.#failures = isDone ? 0 : this.#failures + 1
      this.#retryAt = isDone ? -Infinity : now + pauseAfter(this.#failures)
    }
    const isStuck = report.outcome !== 'ok' && report.checkpointed <= before.checkpointed
    if (!isStuck) this.#stuckSince = undefined
    else this.#stuckSince ??= now
  }

  #warn(wal: WalState, now: number): void {
    const walBytes = wal.fileBytes
    const sinceMs = this.#stuckSince === undefined ? 0 : now - this.#stuckSince
    if (sinceMs >= PINNED_MS && now - this.#pinnedToldAt >= PINNED_AGAIN_MS) {
      this.#pinnedToldAt = now
      this.#observer.onPinned?.({ sinceMs, walBytes, readers: readersOf(this.#driver.name) })
    }
    if (bytesInUse(wal) < this.#limits.truncateBytes) {
      this.#grownTold = this.#limits.truncateBytes * (FILE_FACTOR / 2)
    } else if (walBytes >= 2 * this.#grownTold) {
      this.#grownTold = walBytes
      this.#observer.onGrown?.({ walBytes, readers: readersOf(this.#driver.name) })
    }
  }

  #read(): WalState {
    const { frames, checkpointed } = walCheckpoint(this.#driver, 'NOOP')
    return { fileBytes: walBytesOf(this.#driver), frames, checkpointed, pageBytes: this.#pageBytes }
  }
}

function hasMuchLeft({ frames, checkpointed }: CheckpointReport): boolean {
  return frames - checkpointed > MOST_FRAMES_LEFT
}
