import { Buffer } from 'node:buffer'
import type { ChangePage } from './change-source.js'
import { changeBlock } from './change.presenter.js'
import type { Position } from './change.js'

/** Blocks that are written together. Every listener is handed the same bytes. */
export interface Chunk {
  readonly bytes: Buffer
  /** The `seq` of its first event. */
  readonly first: number
  /** Where a stream is after it. */
  readonly position: Position
  readonly events: number
}

/** Small events are put together up to here: a write for each costs more than the event itself. */
const CHUNK_BYTES = 16_384

/** Serialises a page. */
export function chunksOf({ changes, extent }: ChangePage): Chunk[] {
  const chunks: Chunk[] = []
  let blocks: Buffer[] = []
  let bytes = 0
  let first = changes[0]?.seq ?? 0
  for (const [index, change] of changes.entries()) {
    const block = changeBlock(extent.epoch, change)
    blocks.push(block)
    bytes += block.length
    if (bytes < CHUNK_BYTES && index < changes.length - 1) continue
    const position = { epoch: extent.epoch, seq: change.seq, at: change.at.getTime() }
    chunks.push({ bytes: Buffer.concat(blocks), first, position, events: blocks.length })
    first = changes[index + 1]?.seq ?? 0
    blocks = []
    bytes = 0
  }
  return chunks
}
