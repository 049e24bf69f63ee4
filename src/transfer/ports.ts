import type { Change, Key, Row, Table } from './model.js'

/** Rows as a database shows them: at the moment of each call, or all at one moment within a snapshot. */
export interface RowReader {
  count(table: Table): Promise<number>
  /** The rows with these keys, as far as there are any, in any order. */
  rows(table: Table, keys: readonly Key[]): Promise<Row[]>
}

export interface SourceView extends RowReader {
  /** The first `limit` rows after a key, in the order of the key. */
  page(table: Table, after: Key | null, limit: number): Promise<Row[]>
  /** The first `limit` entries of the log after one, as far as they are visible. */
  changes(after: string | null, limit: number): Promise<Change[]>
  /** The greatest number that the column has, or that its sequence has given out; null when there is none. */
  greatest(table: Table, column: string): Promise<string | null>
}

/** Which transfer a source is part of. Lives on the source, as long as there are triggers of the transfer. */
export interface Mark {
  readonly transferId: string
  /** Identity and label of the target. */
  readonly target: string
  readonly targetLabel: string
  /** When the source was sealed; null while it is in service. */
  readonly sealedAt: string | null
}

interface Side {
  /** The same for two connections to one database, different for two databases. */
  readonly identity: string
  /** What people are told: the address, without user and password. */
  readonly label: string
  /** Every table but bookkeeping, by name. */
  tables(): Promise<Table[]>
  close(): Promise<void>
}

/** The database that is moved. It is in service: nothing here keeps writers waiting, but for `stopWrites`. */
export interface Source extends Side, SourceView {
  mark(): Promise<Mark | null>
  /**
   * Installs the log and the triggers that fill it, and the mark, in one transaction. Whatever is committed later is in
   * the log. With capture installed already, only the mark is replaced.
   * @throws TransferError when the source is part of a transfer to another target
   */
  capture(mark: Mark, tables: readonly Table[]): Promise<void>
  /** Removes entries of the log that have been applied. */
  forget(changes: readonly Change[]): Promise<void>
  /** Runs `work` on what the source is at one moment. */
  snapshot<T>(work: (view: SourceView) => Promise<T>): Promise<T>
  /**
   * Keeps all writers waiting while `work` runs, and commits what it did: `seal`, which lets no write pass from then on.
   * When `work` fails, or this process dies, the writers go on as if nothing had been.
   * @returns for how long they waited, in milliseconds
   * @throws TransferError when they could not be kept waiting within the busy timeout, or the log misses changes
   */
  stopWrites(
    tables: readonly Table[],
    work: (view: SourceView, seal: () => Promise<void>) => Promise<void>,
  ): Promise<number>
  /** Removes the log and its triggers. The mark stays with a seal. */
  removeCapture(): Promise<void>
  /** Removes whatever a transfer has put here: log, triggers, seal, mark. */
  restore(): Promise<void>
}

/** A batch for one table. Rows with these keys are replaced by `rows`, or are gone. */
export interface Batch {
  readonly table: Table
  readonly keys: readonly Key[]
  readonly rows: readonly Row[]
}

/** The database that is filled. Nobody else writes to it. */
export interface Target extends Side, RowReader {
  /** Keeps every other transfer to this database out until `close`. @throws TransferError when there is one */
  lock(): Promise<void>
  /** The state of the transfer that fills this database; null when there is none. */
  loadState(): Promise<string | null>
  /** Applies batches and saves the state, in one transaction. */
  write(batches: readonly Batch[], state: string): Promise<void>
  /** Takes foreign keys out of force, and saves the state that `stateOf` makes of what brings them back. */
  suspendForeignKeys(stateOf: (statements: readonly string[]) => string): Promise<void>
  /** Brings foreign keys back in force. @throws TransferError when a row refers to one that is not there */
  restoreForeignKeys(statements: readonly string[], state: string): Promise<void>
  /** The columns whose values come from a sequence. */
  sequences(): Promise<readonly { readonly table: string; readonly column: string }[]>
  /** Lets a sequence go on after `value`. */
  advance(table: string, column: string, value: string): Promise<void>
  /** Lets the planner know the tables as they are now. */
  analyze(tables: readonly Table[]): Promise<void>
  /** Deletes every row of these tables. */
  empty(tables: readonly Table[]): Promise<void>
  /** Removes the state: the transfer is over. */
  dropState(): Promise<void>
  /** Why a text cannot be held here, or null. */
  objectionTo(text: string): string | null
}
