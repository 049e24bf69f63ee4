/** What a look at the WAL shows. */
export interface WalState {
  /** Size of the `-wal` file; it does not shrink when a log begins anew in it. */
  readonly fileBytes: number
  /** Frames in use, and how many of them are in the database file already. */
  readonly frames: number
  readonly checkpointed: number
  readonly pageBytes: number
}

export interface CheckpointLimits {
  /** From so much that is not in the database file, PASSIVE. */
  readonly passiveBytes: number
  /** From so much in use, RESTART; from {@link FILE_FACTOR} times as much in the file, TRUNCATE. */
  readonly truncateBytes: number
  /** Another program checkpoints: this one tells how the WAL is, and does nothing. */
  readonly isLookOnly?: boolean
}

/** What has happened before, in milliseconds of one clock. */
export interface CheckpointHistory {
  /** When a checkpoint ran last. */
  readonly lastAt: number
  /** Since when the WAL is as it is. */
  readonly unchangedSince: number
  /** Nothing but PASSIVE before this: somebody was in the way. */
  readonly retryAt: number
}

/**
 * PASSIVE copies what is in the WAL and stops nobody. A busy WAL begins anew only if somebody stops the writers for a
 * moment: RESTART does so within its file, TRUNCATE empties that too. A COMMIT that fills an empty file takes half as long
 * again as one that writes over what is there.
 */
export type CheckpointMode = 'PASSIVE' | 'RESTART' | 'TRUNCATE'

export const FILE_FACTOR = 4

// What a crash leaves to recover, and what a power cut can take with synchronous NORMAL, stays as young as this.
const MAX_AGE_MS = 30_000
// PASSIVE stops nobody, and costs next to nothing when a reader is in the way: it is there when that one lets go.
const MIN_PAUSE_MS = 200
/** A WAL that nobody writes to gives its room back. */
const IDLE_MS = 60_000
/** https://www.sqlite.org/fileformat2.html#the_write_ahead_log */
const FRAME_HEADER_BYTES = 24

export function bytesInUse({ frames, pageBytes }: WalState): number {
  return frames * (pageBytes + FRAME_HEADER_BYTES)
}

export function backlogOf({ frames, checkpointed }: WalState): number {
  return Math.max(0, frames - checkpointed)
}

/** Which checkpoint is due; null when none is. */
export function dueCheckpoint(
  wal: WalState,
  limits: CheckpointLimits,
  { lastAt, unchangedSince, retryAt }: CheckpointHistory,
  now: number,
): CheckpointMode | null {
  const backlog = backlogOf(wal)
  if (now >= retryAt) {
    const isIdle = wal.fileBytes > 0 && now - unchangedSince >= IDLE_MS
    if (isIdle || wal.fileBytes >= FILE_FACTOR * limits.truncateBytes) return 'TRUNCATE'
    // When all of it is copied, the next write begins it anew by itself.
    if (backlog > 0 && bytesInUse(wal) >= limits.truncateBytes) return 'RESTART'
  }
  const isMuch = backlog * wal.pageBytes >= limits.passiveBytes && now - lastAt >= MIN_PAUSE_MS
  const isOld = backlog > 0 && now - lastAt >= MAX_AGE_MS
  return isMuch || isOld ? 'PASSIVE' : null
}

/** What stops the writers may find no more than this to do: SQLite copies it while it holds their lock. */
export const MOST_FRAMES_LEFT = 256

const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 30_000

/** How long to leave a WAL alone that could not be checkpointed so many times in a row. */
export function pauseAfter(failures: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1))
}
