import { createHash } from 'node:crypto'
import type { ListFilters, Position, Sort } from './list-request.js'

/** Where a page begins, or ends, as a client carries it. */
export interface Cursor {
  readonly start: Position
  readonly isBackwards: boolean
}

/** What a cursor is good for: another sort or other filters make another list. */
export interface ListIdentity {
  readonly sort: Sort
  readonly filters: ListFilters
}

/** The JSON of a cursor: sort, hash of the filters, key, id, and the sum of 1 when the page ends there, 2 when it has that row. */
type Content = readonly [sort: string, filters: string, key: string | number, id: string, way: number]

const BACKWARDS = 1
const INCLUDED = 2

/** Enough to tell filters apart; it keeps nothing secret. */
const HASH_CHARS = 12
/** A name of a hundred characters, escaped, in base64. */
const MAX_CURSOR = 2_048

/** Makes the opaque text of a cursor. */
export function writeCursor(list: ListIdentity, { start, isBackwards }: Cursor): string {
  const way = (isBackwards ? BACKWARDS : 0) + (start.isIncluded ? INCLUDED : 0)
  const content: Content = [list.sort, hashOf(list.filters), start.key, start.id, way]
  return Buffer.from(JSON.stringify(content)).toString('base64url')
}

/** Reads a cursor that {@link writeCursor} made for the same list; tells what is wrong with any other. */
export function readCursor(list: ListIdentity, text: string): Cursor | string {
  const content = text.length > MAX_CURSOR ? null : contentOf(text)
  if (content === null) return 'must be a cursor from a Link header of this list'
  const [sort, filters, key, id, way] = content
  if (sort !== list.sort) return `must be a cursor of this sort, is one of sort=${sort}`
  if (filters !== hashOf(list.filters)) return 'must be a cursor of these filters, is one of others'
  return { start: { key, id, isIncluded: way >= INCLUDED }, isBackwards: way % INCLUDED === BACKWARDS }
}

function contentOf(text: string): Content | null {
  let content: unknown
  try {
    content = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    return null
  }
  if (!Array.isArray(content) || content.length !== 5) return null
  const [sort, filters, key, id, way] = content as unknown[]
  const isText = [sort, filters, id].every(isStorable)
  const isKey = isStorable(key) || Number.isSafeInteger(key)
  const isWay = typeof way === 'number' && [0, 1, 2, 3].includes(way)
  return isText && isKey && isWay ? (content as unknown as Content) : null
}

// What both databases take as a text.
function isStorable(value: unknown): boolean {
  return typeof value === 'string' && value.isWellFormed() && !value.includes('\0')
}

function hashOf(filters: ListFilters): string {
  const entries = Object.entries(filters).sort(([one], [other]) => (one < other ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(entries)).digest('base64url').slice(0, HASH_CHARS)
}
