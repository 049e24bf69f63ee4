import type { Position } from './change.js'

const CHANGE_ID = /^([0-9a-z]{1,32})-(0|[1-9]\d{0,14})$/

/** The id of a position, which means nothing to clients. */
export function changeIdOf({ epoch, seq }: Position): string {
  return `${epoch}-${seq}`
}

/** The position of an id that {@link changeIdOf} made; null for any other text. */
export function positionOf(id: string): Position | null {
  const [, epoch, seq] = CHANGE_ID.exec(id) ?? []
  return epoch === undefined ? null : { epoch, seq: Number(seq) }
}
