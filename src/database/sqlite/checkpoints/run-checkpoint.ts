import { setTimeout as delay } from 'node:timers/promises'
import { openBetterSqlite3 } from '../driver.js'
import { type CheckpointMode, MOST_FRAMES_LEFT } from './checkpoint-policy.js'
import { type CheckpointResult, walCheckpoint } from './wal-checkpoint.js'

/** How long one attempt may keep the writers waiting; see https://www.sqlite.org/pragma.html#pragma_wal_checkpoint. */
const BUSY_TIMEOUT_MS = 20
const ATTEMPTS = 10
const PAUSE_MS = 100

/**
 * Runs a checkpoint on a connection of its own. PASSIVE waits for nobody; what stops the writers comes after
 * it, so that there is little left to do while they wait, and is tried again when somebody is in the way. A file that is not in WAL
 * mode has no frames. It blocks for as long as the disk needs: not for a thread that serves.
 */
export async function runCheckpoint(file: string, mode: CheckpointMode): Promise<CheckpointResult> {
  const driver = openBetterSqlite3(file, { readonly: false, mustExist: true, timeoutMs: BUSY_TIMEOUT_MS })
  try {
    for (let attempt = 1; ; attempt++) {
      let result = walCheckpoint(driver, 'PASSIVE')
      // SQLite copies what is left while it holds the writers' lock.
      const isLittleLeft = result.frames - result.checkpointed <= MOST_FRAMES_LEFT
      if (mode !== 'PASSIVE' && isLittleLeft) result = walCheckpoint(driver, mode)
      const isDone = mode === 'PASSIVE' || (isLittleLeft && !result.isBusy)
      if (isDone || attempt === ATTEMPTS) return result
      await delay(PAUSE_MS)
    }
  } finally {
    driver.close()
  }
}
