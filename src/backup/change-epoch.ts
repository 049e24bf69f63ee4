import { randomBytes } from 'node:crypto'

/** The table that says which history it is whose changes are followed (docs/change-stream.md); older backups have none. */
export const CHANGE_FEED = 'change_feed'

const EPOCH_BYTES = 6

/** The name of a history that there has never been. */
export function newEpoch(): string {
  return randomBytes(EPOCH_BYTES).toString('hex')
}

/** @param parameter what the dialect writes for the name */
export function newEpochSql(parameter: string): string {
  return `
    INSERT INTO ${CHANGE_FEED} (id, epoch, floor) VALUES (1, ${parameter}, 0)
    ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch`
}
