import { openBetterSqlite3 } from './driver.js'

/** https://www.sqlite.org/pragma.html#pragma_wal_checkpoint */
export type CheckpointMode = 'PASSIVE' | 'TRUNCATE'

export interface CheckpointResult {
  /** Whether somebody was in the way until the busy timeout was over. */
  readonly isBusy: boolean
  /** Frames in the log; after TRUNCATE there are none. */
  readonly frames: number
  /** Frames of them that are in the database file. */
  readonly checkpointed: number
}

/**
 * Runs a checkpoint on a connection of its own, blocking for as long as the busy timeout allows. PASSIVE waits for nobody.
 * A file that is not in WAL mode has no frames.
 */
export function runCheckpoint(file: string, mode: CheckpointMode, busyTimeoutMs: number): CheckpointResult {
  const driver = openBetterSqlite3(file, { readonly: false, timeoutMs: busyTimeoutMs })
  try {
    const [row] = driver.pragma(`wal_checkpoint(${mode})`) as { busy: number; log: number; checkpointed: number }[]
    return {
      isBusy: row?.busy === 1,
      frames: Math.max(0, row?.log ?? 0),
      checkpointed: Math.max(0, row?.checkpointed ?? 0),
    }
  } finally {
    driver.close()
  }
}
