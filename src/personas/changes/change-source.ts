import type { Change, Extent, Position, ResetReason } from './change.js'

/** The most that a page has: it is read into memory as a whole, and a persona may have 150 KB. */
export const PAGE_CHANGES = 32

export interface PageRequest {
  /** Changes with a higher `seq`. */
  readonly after: number
  /** And with this one at most, up to which all are known to be settled; without it, all that are. */
  readonly upTo?: number
  readonly limit: number
}

export interface ChangePage {
  /** In the order of `seq`. */
  readonly changes: readonly Change[]
  /** Where the next page begins: everything up to here was read. */
  readonly next: number
  /** Whether nothing was left, up to where it was asked. */
  readonly isLast: boolean
  /**
   * As it was after the page was read: when the floor is not above the place where the page begins, retention has taken nothing
   * out of it.
   */
  readonly extent: Extent
  /** About how much text it holds. */
  readonly bytes: number
}

/** The position after a page that was read from another one. */
export function positionAfter(position: Position, { changes, next }: ChangePage): Position {
  return { ...position, seq: next, at: changes.at(-1)?.at.getTime() ?? position.at }
}

/** The changes of all personas, which the database itself writes down. Also the DI token. */
export abstract class ChangeSource {
  /** Whoever begins here gets what is changed from now on. */
  abstract present(): Promise<Position>

  /** Why nobody can go on from a position that a client names; undefined when one can. */
  abstract reasonToReset(position: Position): Promise<ResetReason | undefined>

  /** A page of the changes that are settled: none with a lower `seq` can still appear. */
  abstract page(request: PageRequest): Promise<ChangePage>
}
