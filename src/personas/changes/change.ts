import type { Persona } from '../persona.js'
import type { Revision } from '../revisions/revision.js'

/** A change of a persona as those who follow all changes get it. */
export interface Change extends Revision {
  /** What the persona was after it; null when it was erased, or when what a raw write left behind cannot be read. */
  readonly persona: Persona | null
}

/** A place in the sequence of all changes: everything up to `seq` lies behind it. */
export interface Position {
  /** Which sequence: a database that was restored from a backup has another one. */
  readonly epoch: string
  readonly seq: number
  /**
   * When the last change up to `seq` was made, in milliseconds; 0 when there was none. A copy of the database that was put
   * back gives the same numbers to other changes, made at other times.
   */
  readonly at: number
}

/** How far the sequence reaches, at one moment. */
export interface Extent {
  readonly epoch: string
  /** The highest `seq` that is not kept any more: behind it nothing is missing. */
  readonly floor: number
  /** The highest `seq` that was given out. */
  readonly last: number
  /** Up to here nothing can be added. */
  readonly settled: number
}

/** Why a client cannot go on where it was. */
export const RESET_REASONS = ['unknown-id', 'other-history', 'not-kept', 'beyond-the-end', 'too-far-behind'] as const
export type ResetReason = (typeof RESET_REASONS)[number]

/** To read all lists again is cheaper than this. */
export const MAX_BEHIND = 10_000

/** Why the numbers alone say that nobody can go on from a position; undefined when they do not. */
export function reasonToReset(position: Position, extent: Extent): ResetReason | undefined {
  if (position.epoch !== extent.epoch) return 'other-history'
  if (position.seq < extent.floor) return 'not-kept'
  if (position.seq > extent.last) return 'beyond-the-end'
  return extent.settled - position.seq > MAX_BEHIND ? 'too-far-behind' : undefined
}
