import type { Key, Table } from './model.js'

/** A transfer cannot begin, or cannot go on; the message says why, and what to do. */
export class TransferError extends Error {
  override readonly name: string = 'TransferError'
}

/** A row that cannot be transferred as it is; the message names its table and its key. */
export class RowError extends TransferError {
  override readonly name = 'RowError'
  constructor(table: Table, key: Key, why: string, options?: ErrorOptions) {
    super(`${rowLabel(table, key)} cannot be transferred: ${why}`, options)
  }
}

/** A row, for messages. */
export function rowLabel(table: Table, key: Key): string {
  return `${table.name}(${key.join(', ')})`
}
