import { inspect } from './begin.js'
import { assertHoldable, BATCH_LIMITS, eachPage } from './copy.js'
import type { Source, Target } from './ports.js'
import { commonTables } from './tables.js'
import { TransferError } from './transfer-errors.js'
import type { Watcher } from './transfer.js'

export interface DryRunReport {
  /** What the target is: not there, without tables, empty, filled by a transfer that goes on, or moved to before. */
  readonly target: 'absent' | 'without tables' | 'empty' | 'unfinished' | 'moved-before'
  readonly tables: readonly { readonly name: string; readonly rows: number }[]
}

/**
 * Looks whether a transfer could begin or go on, and at every row: nothing is written on either side.
 * @param target null when it is not there
 * @param isMigrated whether the target has the project's schema
 * @throws TransferError with what would stop it
 */
export async function dryRun(
  source: Source,
  target: Target | null,
  isMigrated: boolean,
  objectionTo: Target['objectionTo'],
  watcher: Watcher,
): Promise<DryRunReport> {
  const state = await stateOf(source, target, isMigrated)
  const tables = await source.tables()
  const report = []
  for (const table of tables) {
    const total = await source.count(table)
    const bar = watcher.progress(`Reading ${table.name}`, total)
    let rows = 0
    await eachPage(
      (after, limit) => source.page(table, after, limit),
      table,
      null,
      BATCH_LIMITS,
      (page) => {
        assertHoldable({ objectionTo }, table, page)
        bar.update((rows += page.length))
        return Promise.resolve()
      },
    ).finally(() => bar.stop())
    report.push({ name: table.name, rows })
  }
  return { target: state, tables: report }
}

async function stateOf(source: Source, target: Target | null, isMigrated: boolean): Promise<DryRunReport['target']> {
  if (!target) return 'absent'
  const present = await target.tables()
  if (!isMigrated && present.length > 0) {
    throw new TransferError(`The target ${target.label} has tables, but not those of this version.`)
  }
  const { mark, stored } = await inspect({ source, target }, present)
  if (present.length === 0) return 'without tables'
  commonTables(await source.tables(), present)
  if (mark?.sealedAt) return 'moved-before'
  return stored ? 'unfinished' : 'empty'
}
