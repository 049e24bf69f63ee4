import { createHash } from 'node:crypto'
import { hashesByKey } from './catch-up.js'
import { type BatchLimits, eachPage } from './copy.js'
import { type Key, keyOf, keyText, type Row, type Table } from './model.js'
import type { RowReader, SourceView } from './ports.js'
import { rowLabel, TransferError } from './transfer-errors.js'

/** What was found to be the same on both sides. */
export interface VerifiedTable {
  readonly name: string
  readonly rows: number
  /** SHA-256 over the SHA-256 of every row, in the order of the source's key. */
  readonly sha256: string
}

/** So many differences tell what kind they are of. */
const DIFFERENCES_TOLD = 10

/**
 * Compares a hash of every row, and the counts. With every row of the source found on the target and as many rows on
 * either side, there is no row on the target that the source does not have.
 * @throws TransferError naming the first differences
 */
export async function verifyTables(
  view: SourceView,
  target: RowReader,
  tables: readonly Table[],
  limits: BatchLimits,
  onVerified: (rows: number) => void,
): Promise<VerifiedTable[]> {
  const verified: VerifiedTable[] = []
  const differences: string[] = []
  let total = 0
  for (const table of tables) {
    const digest = createHash('sha256')
    let rows = 0
    const compare = async (page: Row[]): Promise<void> => {
      differences.push(...(await comparePage(target, table, page, digest)))
      if (differences.length >= DIFFERENCES_TOLD) throw mismatch(differences)
      rows += page.length
      onVerified((total += page.length))
    }
    await eachPage((after: Key | null, limit) => view.page(table, after, limit), table, null, limits, compare)
    verified.push({ name: table.name, rows, sha256: digest.digest('hex') })
  }
  differences.push(...(await countDifferences(view, target, tables)))
  if (differences.length > 0) throw mismatch(differences)
  return verified
}

/** Every table that does not have as many rows on both sides. */
export async function countDifferences(
  view: RowReader,
  target: RowReader,
  tables: readonly Table[],
): Promise<string[]> {
  const differences: string[] = []
  for (const table of tables) {
    const [ours, theirs] = await Promise.all([view.count(table), target.count(table)])
    if (ours !== theirs) differences.push(`${table.name}: ${ours} rows on the source, ${theirs} on the target`)
  }
  return differences
}

export function mismatch(differences: readonly string[]): TransferError {
  const list = differences.map((difference) => `  - ${difference}`).join('\n')
  return new TransferError(
    `The target is not what the source is; nothing was sealed, the source stays in service:\n${list}\n` +
      'Somebody else wrote to the target, or a row was changed past the triggers: run with --abort, and start again.',
  )
}

async function comparePage(
  target: RowReader,
  table: Table,
  page: readonly Row[],
  digest: ReturnType<typeof createHash>,
): Promise<string[]> {
  const keys = page.map((row) => keyOf(table, row))
  const found = hashesByKey(table, await target.rows(table, keys))
  const expected = hashesByKey(table, page)
  for (const hash of expected.values()) digest.update(hash)
  return keys
    .filter((key) => found.get(keyText(key)) !== expected.get(keyText(key)))
    .map((key) => `${rowLabel(table, key)} ${found.has(keyText(key)) ? 'differs' : 'is missing'}`)
}
