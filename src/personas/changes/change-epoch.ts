import { randomBytes } from 'node:crypto'

/** The table that says which history it is whose changes are followed (docs/change-stream.md); older backups have none. */
export const CHANGE_FEED = 'change_feed'

const EPOCH_BYTES = 6

/**
 * The name of a history that there has never been. A database gets it when it is asked for its epoch and has none: the first
 * time, so that two copies of one that was never asked have two, and after a restore, which leaves out that of the backup.
 */
export function newEpoch(): string {
  return randomBytes(EPOCH_BYTES).toString('hex')
}
