import { statSync } from 'node:fs'
import type { SqliteDriver } from '../driver.js'
import type { CheckpointMode } from './checkpoint-policy.js'

export interface CheckpointResult {
  /** Whether somebody was in the way until the busy timeout was over. */
  readonly isBusy: boolean
  /** Frames in the log; after TRUNCATE there are none, nor are there any without a WAL. */
  readonly frames: number
  /** Frames of them that are in the database file. */
  readonly checkpointed: number
}

/** Runs a checkpoint on a connection, blocking. NOOP, since SQLite 3.51, answers the numbers and does nothing. */
export function walCheckpoint(driver: SqliteDriver, mode: CheckpointMode | 'NOOP'): CheckpointResult {
  const [row] = driver.pragma(`wal_checkpoint(${mode})`) as { busy: number; log: number; checkpointed: number }[]
  return {
    isBusy: row?.busy === 1,
    frames: Math.max(0, row?.log ?? 0),
    checkpointed: Math.max(0, row?.checkpointed ?? 0),
  }
}

/** The size of the file; 0 when there is none. */
export function walBytesOf(driver: SqliteDriver): number {
  return statSync(`${driver.name}-wal`, { throwIfNoEntry: false })?.size ?? 0
}
