import { assertHoldable } from './copy.js'
import { type Change, type Key, keyOf, keyText, type Row, type Table } from './model.js'
import type { Batch, Source, SourceView, Target } from './ports.js'
import type { StateHolder } from './state.js'
import { rowHash } from './canonical.js'
import { rowLabel, TransferError } from './transfer-errors.js'

const CHANGES_PER_BATCH = 500

/** The log's entries are applied by reading the rows that they name: to apply one twice does no harm. */
export class CatchUp {
  /** How many entries have been applied. */
  applied = 0

  constructor(
    private readonly source: Source,
    private readonly target: Target,
    private readonly tables: readonly Table[],
    private readonly state: StateHolder,
  ) {}

  /**
   * Applies what is in the log until less than a batch is left: with writers at work there is always one more.
   * @param isChecked whether every row is read back and compared
   */
  async drain(isChecked: boolean): Promise<void> {
    for (;;) {
      // From the beginning each time: an entry with a low number may become visible after one with a higher number.
      const changes = await this.source.changes(null, CHANGES_PER_BATCH)
      await this.#apply(this.source, changes, isChecked)
      await this.source.forget(changes)
      if (changes.length < CHANGES_PER_BATCH) return
    }
  }

  /** Applies everything that a view of one moment has in its log, and leaves the log as it is. */
  async applyAll(view: SourceView, isChecked: boolean): Promise<Change[]> {
    const all: Change[] = []
    for (;;) {
      const changes = await view.changes(all.at(-1)?.seq ?? null, CHANGES_PER_BATCH)
      if (changes.length === 0) return all
      await this.#apply(view, changes, isChecked)
      all.push(...changes)
    }
  }

  async #apply(view: SourceView, changes: readonly Change[], isChecked: boolean): Promise<void> {
    if (changes.length === 0) return
    const batches: Batch[] = []
    for (const table of this.tables) {
      const keys = distinctKeys(changes.filter((change) => change.table === table.name))
      if (keys.length === 0) continue
      const rows = await view.rows(table, keys)
      assertHoldable(this.target, table, rows)
      batches.push({ table, keys, rows })
    }
    await this.state.change({}, (text) => this.target.write(batches, text))
    this.applied += changes.length
    if (isChecked) for (const batch of batches) await assertApplied(this.target, batch)
  }
}

async function assertApplied(target: Target, { table, keys, rows }: Batch): Promise<void> {
  const found = hashesByKey(table, await target.rows(table, keys))
  const expected = hashesByKey(table, rows)
  const wrong = keys.filter((key) => found.get(keyText(key)) !== expected.get(keyText(key)))
  if (wrong[0]) throw new TransferError(`${rowLabel(table, wrong[0])} is not on the target as it is on the source.`)
}

/** The hash of each row, by its key. */
export function hashesByKey(table: Table, rows: readonly Row[]): Map<string, string> {
  return new Map(rows.map((row) => [keyText(keyOf(table, row)), rowHash(row)]))
}

function distinctKeys(changes: readonly Change[]): Key[] {
  return [...new Map(changes.map(({ key }) => [keyText(key), key])).values()]
}
