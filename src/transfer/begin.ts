import { randomUUID } from 'node:crypto'
import type { Table } from './model.js'
import type { Mark, Source, Target } from './ports.js'
import { parseState, StateHolder, type TransferState } from './state.js'
import { TransferError } from './transfer-errors.js'

/** Where a run begins: with the copy (or in the middle of it), or with nothing left to do but to tidy up. */
export type Beginning =
  | { readonly step: 'transfer'; readonly isResumed: boolean; readonly state: StateHolder }
  | { readonly step: 'tidy'; readonly sealedAt: string }

/** What is written for a database in which nobody has anything: by a server that was asked what has changed, or once had personas. */
const OF_EMPTY_DATABASES: ReadonlySet<string> = new Set(['change_feed', 'persona_counts'])

type Sides = { readonly source: Source; readonly target: Target }

/**
 * Whether a transfer may begin or go on, from what both sides say; changes nothing.
 * @returns the state to go on with; null for a transfer that is new, or sealed
 * @throws TransferError that says what to do when it may not
 */
export async function inspect(
  { source, target }: Sides,
  tables: readonly Table[],
): Promise<{ readonly mark: Mark | null; readonly stored: TransferState | null }> {
  const mark = await source.mark()
  const text = await target.loadState()
  const stored = text === null ? null : parseState(text)
  if (stored && stored.transferId !== mark?.transferId) throw strangerState(stored, source)
  if (mark && mark.target !== target.identity) throw otherTarget(mark, source)
  if (!stored && !mark?.sealedAt) await assertEmpty(target, tables)
  return { mark, stored }
}

/** Begins a transfer, or finds where one goes on. Log and triggers are installed when this resolves. */
export async function begin(sides: Sides, tables: readonly Table[]): Promise<Beginning> {
  const { mark, stored } = await inspect(sides, tables)
  if (mark?.sealedAt) return { step: 'tidy', sealedAt: mark.sealedAt }
  const state = stored ?? (await beginNew(sides, tables))
  const holder = new StateHolder(state)
  // Also of a transfer that goes on: it may have been interrupted after it had brought them back.
  await sides.target.suspendForeignKeys((statements) => {
    const foreignKeys = [...new Set([...state.foreignKeys, ...statements])]
    holder.adopt({ ...state, foreignKeys })
    return JSON.stringify(holder.value)
  })
  return { step: 'transfer', isResumed: stored !== null, state: holder }
}

// The log first: whatever is committed after it is installed, and read too early, is read again.
async function beginNew({ source, target }: Sides, tables: readonly Table[]): Promise<TransferState> {
  const written = await filledOf(
    target,
    tables.filter(({ name }) => OF_EMPTY_DATABASES.has(name)),
  )
  if (written.length > 0) await target.empty(written.map(({ table }) => table))
  const transferId = randomUUID()
  const mark = { transferId, target: target.identity, targetLabel: target.label, sealedAt: null }
  await source.capture(mark, tables)
  return { transferId, sourceLabel: source.label, phase: 'copy', cursors: {}, copied: 0, foreignKeys: [] }
}

/** @throws TransferError when a table has rows that somebody may miss */
export async function assertEmpty(target: Pick<Target, 'label' | 'count'>, tables: readonly Table[]): Promise<void> {
  const filled = await filledOf(
    target,
    tables.filter(({ name }) => !OF_EMPTY_DATABASES.has(name)),
  )
  if (filled.length === 0) return
  const list = filled.map(({ table, rows }) => `${table.name} has ${rows} rows`).join(', ')
  throw new TransferError(
    `The target ${target.label} is not empty: ${list}. Name a database without rows, or one that is not there yet.`,
  )
}

async function filledOf(target: Pick<Target, 'count'>, tables: readonly Table[]) {
  const filled: { readonly table: Table; readonly rows: number }[] = []
  for (const table of tables) {
    const rows = await target.count(table)
    if (rows > 0) filled.push({ table, rows })
  }
  return filled
}

function strangerState(stored: TransferState, source: Source): TransferError {
  return new TransferError(
    `The target holds an unfinished transfer from ${stored.sourceLabel}, which ${source.label} is no part of. ` +
      'Go on with that source, or end it with --abort, or name another target.',
  )
}

function otherTarget(mark: Mark, source: Source): TransferError {
  return new TransferError(
    mark.sealedAt === null
      ? `A transfer from ${source.label} to ${mark.targetLabel} is under way. Go on with it, or end it with --abort.`
      : `${source.label} was moved to ${mark.targetLabel} at ${mark.sealedAt}, and takes no writes. ` +
          'Transfer from there; to go back to this one, remove the seal with --unseal.',
  )
}
