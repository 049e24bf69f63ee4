import * as z from 'zod'
import type { Key } from './model.js'

/** How far a transfer has come. Lives on the target, and changes in the transactions that it tells of. */
export interface TransferState {
  readonly transferId: string
  /** What people are told the source is. */
  readonly sourceLabel: string
  /** `seal`: the source is sealed from one moment to the next, or has been. */
  readonly phase: 'copy' | 'catch-up' | 'seal'
  /** The last key copied of each table that is under way, `done` for one that is copied. */
  readonly cursors: Readonly<Record<string, Key | 'done'>>
  /** Rows copied so far, for the progress bar of whoever goes on. */
  readonly copied: number
  /** What brings the target's foreign keys back in force. */
  readonly foreignKeys: readonly string[]
}

const schema = z.object({
  transferId: z.string(),
  sourceLabel: z.string(),
  phase: z.enum(['copy', 'catch-up', 'seal']),
  cursors: z.record(z.string(), z.union([z.literal('done'), z.array(z.string())])),
  copied: z.number(),
  foreignKeys: z.array(z.string()),
})

export function parseState(text: string): TransferState {
  return schema.parse(JSON.parse(text))
}

/** The state of one run: every change of it goes to the target together with what it tells of. */
export class StateHolder {
  constructor(private current: TransferState) {}

  get value(): TransferState {
    return this.current
  }

  /** Takes over a state that is saved by other means. */
  adopt(state: TransferState): void {
    this.current = state
  }

  /** Saves a changed state with `save`; keeps it only when that worked. */
  async change(changes: Partial<TransferState>, save: (text: string) => Promise<void>): Promise<void> {
    const next = { ...this.current, ...changes }
    await save(JSON.stringify(next))
    this.current = next
  }
}
