import type { Position } from './change.js'

const CHANGE_ID = /^([0-9a-z]{1,32})-(0|[1-9]\d{0,14})-(-?[0-9a-z]{1,11})$/
/** Short, and ids are opaque anyway. */
const RADIX = 36

/** The id of a position, which means nothing to clients. */
export function changeIdOf({ epoch, seq, at }: Position): string {
  return `${epoch}-${seq}-${at.toString(RADIX)}`
}

/** The position of an id that {@link changeIdOf} made; null for any other text. */
export function positionOf(id: string): Position | null {
  const [, epoch, seq, at] = CHANGE_ID.exec(id) ?? []
  if (epoch === undefined || at === undefined) return null
  return { epoch, seq: Number(seq), at: parseInt(at, RADIX) }
}
