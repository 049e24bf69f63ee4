import { setImmediate as turnOfTheEventLoop } from 'node:timers/promises'
import { type Key, keyOf, type Row, type Table } from './model.js'
import type { Source, Target } from './ports.js'
import type { StateHolder } from './state.js'
import { RowError } from './transfer-errors.js'

export interface BatchLimits {
  /** The most rows that a batch has. */
  readonly maxRows: number
  /** About how much text a batch holds: rows may be of any size, and memory is not. */
  readonly aboutChars: number
}

export const BATCH_LIMITS: BatchLimits = { maxRows: 1_000, aboutChars: 4_000_000 }

const FIRST_BATCH_ROWS = 100

/** How many rows to ask for next, by the size of the last ones. */
export class BatchSize {
  rows: number

  constructor(private readonly limits: BatchLimits = BATCH_LIMITS) {
    this.rows = Math.min(FIRST_BATCH_ROWS, limits.maxRows)
  }

  learn(rows: readonly Row[]): void {
    const chars = rows.reduce((sum, row) => sum + row.reduce((length, value) => length + (value?.length ?? 0), 0), 0)
    const fitting = Math.floor((this.limits.aboutChars * rows.length) / Math.max(1, chars))
    this.rows = Math.max(1, Math.min(this.limits.maxRows, fitting))
  }
}

/** Calls `use` with a table's rows, batch by batch in the order of the key. */
export async function eachPage(
  page: (after: Key | null, limit: number) => Promise<Row[]>,
  table: Table,
  after: Key | null,
  limits: BatchLimits,
  use: (rows: Row[], last: Key) => Promise<void>,
): Promise<void> {
  const size = new BatchSize(limits)
  let cursor = after
  for (;;) {
    const rows = await page(cursor, size.rows)
    const last = rows.at(-1)
    if (!last) return
    size.learn(rows)
    cursor = keyOf(table, last)
    await use(rows, cursor)
    // From SQLite to SQLite nothing waits: the progress bar would never be drawn.
    await turnOfTheEventLoop()
  }
}

/** Copies what has not been copied yet, each batch in one transaction with the state that tells of it. */
export async function copyTables(
  source: Source,
  target: Target,
  tables: readonly Table[],
  state: StateHolder,
  limits: BatchLimits,
  onCopied: (rows: number) => void,
): Promise<void> {
  const moved = (cursor: Record<string, Key | 'done'>, rows: number) => ({
    cursors: { ...state.value.cursors, ...cursor },
    copied: state.value.copied + rows,
  })
  for (const table of tables) {
    const cursor = state.value.cursors[table.name]
    if (cursor === 'done') continue
    const page = (after: Key | null, limit: number) => source.page(table, after, limit)
    await eachPage(page, table, cursor ?? null, limits, async (rows, last) => {
      assertHoldable(target, table, rows)
      const batch = { table, keys: rows.map((row) => keyOf(table, row)), rows }
      await state.change(moved({ [table.name]: last }, rows.length), (text) => target.write([batch], text))
      onCopied(state.value.copied)
    })
    await state.change(moved({ [table.name]: 'done' }, 0), (text) => target.write([], text))
  }
}

/** @throws RowError for the first text that the target cannot hold */
export function assertHoldable(target: Pick<Target, 'objectionTo'>, table: Table, rows: readonly Row[]): void {
  for (const row of rows) {
    for (const [index, value] of row.entries()) {
      const objection = value === null ? null : target.objectionTo(value)
      if (objection !== null) throw new RowError(table, keyOf(table, row), `${table.columns[index]?.name} ${objection}`)
    }
  }
}
