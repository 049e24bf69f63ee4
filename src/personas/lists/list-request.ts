import type { BaseImageStatus, ContentRating, Persona } from '../persona.js'
import type { Search } from '../search-terms.js'

/** What lists can be sorted by, as clients name it. Ties are broken by the id, in the same direction. */
export const SORTS = [
  '-created_at',
  'created_at',
  '-updated_at',
  'updated_at',
  'name',
  '-name',
  'generation_count',
  '-generation_count',
] as const
export type Sort = (typeof SORTS)[number]
export type SortColumn = 'created_at' | 'updated_at' | 'name' | 'generation_count'

export const DEFAULT_SORT: Sort = '-created_at'

export function columnOf(sort: Sort): SortColumn {
  return sort.replace('-', '') as SortColumn
}

/** From the moment on, up to but without the other: ranges that meet have neither a gap nor an overlap. */
export interface TimeRange {
  readonly from: Date | null
  readonly to: Date | null
}

/** What every persona of a list has. Absent: anything. */
export interface ListFilters extends Search {
  readonly activeOnly: boolean
  /** One of these. */
  readonly defaultRatings?: readonly ContentRating[]
  /** All of these are among those that it allows. */
  readonly allowedRatings?: readonly ContentRating[]
  /** One of these. */
  readonly baseImageStatuses?: readonly BaseImageStatus[]
  readonly appearanceLocked?: boolean
  readonly created: TimeRange
  readonly updated: TimeRange
}

/** A place in a list: beside a row which was there, by what the list is sorted by. */
export interface Position {
  /** In the form of the wire: times in RFC 3339, but for those that the service would have written otherwise. */
  readonly key: string | number
  readonly id: string
  /** Whether a page from there has that row too. */
  readonly isIncluded?: boolean
}

export interface ListRequest {
  readonly sort: Sort
  readonly filters: ListFilters
  readonly limit: number
  /** Null: from the beginning. */
  readonly start: Position | null
  /** Whether the page ends before `start` instead of beginning after it. */
  readonly isBackwards: boolean
  /** Whether the whole list is counted; not with words or themes, which are not counted by. */
  readonly isCounted: boolean
}

/** What bounds the cost of a page. */
export interface ListLimits {
  /** Up to so many personas are looked at one by one, in place of a walk through the list. */
  readonly candidates: number
  /** A page is answered after so many rows of the list, however few of them it has: the next one goes on there. */
  readonly visited: number
  /** A list is counted along so many rows; one that goes on there has at least what was found. */
  readonly counted: number
  /** So many rows of a walk are one statement: SQLite's keep everybody else waiting while they run. */
  readonly stride: number
}

/**
 * Of what more than 2,000 of 1,000,000 personas have, 5,000 rows have ten, when it is spread evenly: a page of ten is full
 * up to there.
 */
export const LIST_LIMITS: ListLimits = { candidates: 2_000, visited: 5_000, counted: 10_000, stride: 1_000 }

/** A page, and where to go on; null where nothing is, or what is left of the list is nothing. */
export interface ListPage {
  readonly personas: readonly Persona[]
  readonly next: Position | null
  readonly previous: Position | null
  /** How many personas the whole list has; null when that was not asked for. */
  readonly total: ListTotal | null
}

export interface ListTotal {
  readonly count: number
  /** Whether the list was counted to its end; else it has at least so many. */
  readonly isExact: boolean
}
