import type { Source, Target } from './ports.js'
import { parseState } from './state.js'
import { TransferError } from './transfer-errors.js'

/** What an abort did to the target. */
export type AbortedTarget = 'emptied' | 'kept' | 'untouched'

/**
 * Ends a transfer for good: the source loses log, triggers and mark, the target the rows and the state. Rows are deleted
 * only where the state proves that this transfer brought them, and that no server can have been given the target yet.
 * @param targetLabel of the target, which may not be there any more
 * @throws TransferError when the source is sealed: then the transfer is done; or when it goes to another target
 */
export async function abort(source: Source, target: Target | null, targetLabel: string): Promise<AbortedTarget> {
  const mark = await source.mark()
  if (mark?.sealedAt) {
    throw new TransferError(
      `${source.label} was moved to ${mark.targetLabel} at ${mark.sealedAt}: there is nothing to abort. ` +
        'To go back to it, remove the seal with --unseal.',
    )
  }
  // Another name would leave the one that is under way without its log, while it goes on.
  const isOther = mark && (target ? mark.target !== target.identity : mark.targetLabel !== targetLabel)
  if (isOther) {
    throw new TransferError(`The transfer of ${source.label} goes to ${mark.targetLabel}: name that one with --to.`)
  }
  const outcome = target ? await clear(target, mark?.transferId) : 'untouched'
  await source.restore()
  return outcome
}

async function clear(target: Target, transferId: string | undefined): Promise<AbortedTarget> {
  await target.lock()
  const text = await target.loadState()
  if (text === null) return 'untouched'
  const state = parseState(text)
  // One of another source is not ours to delete.
  if (transferId !== undefined && state.transferId !== transferId) return 'untouched'
  // From here on it was complete: somebody may have begun to use it.
  const isKept = state.phase === 'seal' || transferId === undefined
  if (!isKept) await target.empty(await target.tables())
  await target.restoreForeignKeys(state.foreignKeys, text)
  await target.dropState()
  return isKept ? 'kept' : 'emptied'
}

/**
 * Lets a source that was moved take writes again.
 * @throws TransferError when it is not sealed
 */
export async function unseal(source: Source): Promise<void> {
  const mark = await source.mark()
  if (!mark?.sealedAt) throw new TransferError(`${source.label} is not sealed: it takes writes as it is.`)
  await source.restore()
}
