import { itemsOf } from '../dto/query-values.js'
import type { ListPersonasQuery } from '../dto/list-personas.query.js'
import type { BaseImageStatus, ContentRating } from '../persona.js'
import { foldedWords } from '../search-terms.js'
import { ValidationFailedError } from '../../validation/validation-failed.error.js'
import type { Fault } from '../../validation/rule.js'
import { readCursor } from './cursor.js'
import type { ListDialect } from './list-dialect.js'
import { columnOf, DEFAULT_SORT, type ListFilters, type ListRequest } from './list-request.js'

/** What makes of the plain list, with its offset and its count, one that is walked by cursors. */
const BY_CURSOR = [
  ...['cursor', 'sort', 'q', 'theme', 'default_content_rating', 'allowed_content_rating', 'base_image_status'],
  ...['appearance_locked', 'created_after', 'created_before', 'updated_after', 'updated_before'],
] as const

/** `Link` repeats what is searched for three times, and clients take headers of 16 KiB, all of them together. */
const MAX_SEARCH_IN_URL = 2_500

/** Whether a list is asked for that is walked by cursors. */
export function isByCursor(query: ListPersonasQuery): boolean {
  return BY_CURSOR.some((name) => Reflect.get(query, name) !== undefined)
}

/**
 * Reads what is asked for, of values that have been checked one by one.
 * @throws ValidationFailedError for what does not go together, and for a cursor that is none of this list
 */
export function readList(query: ListPersonasQuery, dialect: ListDialect): ListRequest {
  const { sort = DEFAULT_SORT, limit } = query
  const filters = filtersOf(query)
  const faults: Fault[] = []
  if (query.skip > 0) {
    faults.push({
      pointer: '/skip',
      detail: 'must be left out with cursor, sort, q and filters: follow Link: rel="next"',
    })
  }
  if (query.total && (filters.words.length > 0 || filters.themes.length > 0)) {
    faults.push({ pointer: '/total', detail: 'must be left out with q and theme, which are not counted by' })
  }
  if (lengthInUrl(query) > MAX_SEARCH_IN_URL) {
    const detail = `must have, together with q, at most ${MAX_SEARCH_IN_URL} characters as they stand in a URL`
    faults.push({ pointer: '/theme', detail })
  }
  let read = query.cursor ? readCursor({ sort, filters }, query.cursor) : null
  if (read !== null && typeof read !== 'string' && dialect.rawOf(columnOf(sort), read.start.key) === undefined) {
    read = 'must be a cursor of this database'
  }
  if (typeof read === 'string') faults.push({ pointer: '/cursor', detail: read })
  if (faults.length > 0 || typeof read === 'string') throw new ValidationFailedError(faults)
  const { start = null, isBackwards = false } = read ?? {}
  return { sort, limit, filters, start, isBackwards, isCounted: query.total ?? false }
}

function lengthInUrl({ q = '', theme = [] }: ListPersonasQuery): number {
  const searched: [string, string][] = [['q', q], ...[theme].flat().map((one): [string, string] => ['theme', one])]
  return new URLSearchParams(searched).toString().length
}

function filtersOf(query: ListPersonasQuery): ListFilters {
  const { appearance_locked: appearanceLocked } = query
  const distinct = <T extends string>(value: unknown) => [...new Set(itemsOf(value))].sort() as T[]
  const given = <T>(name: string, value: unknown, items: readonly T[]) => (value === undefined ? {} : { [name]: items })
  return {
    activeOnly: query.active_only,
    words: [...new Set(foldedWords(query.q ?? ''))].sort(),
    themes: [...new Set([query.theme ?? []].flat())].sort(),
    created: { from: query.created_after ?? null, to: query.created_before ?? null },
    updated: { from: query.updated_after ?? null, to: query.updated_before ?? null },
    ...given('defaultRatings', query.default_content_rating, distinct<ContentRating>(query.default_content_rating)),
    ...given('allowedRatings', query.allowed_content_rating, distinct<ContentRating>(query.allowed_content_rating)),
    ...given('baseImageStatuses', query.base_image_status, distinct<BaseImageStatus>(query.base_image_status)),
    ...(appearanceLocked !== undefined && { appearanceLocked }),
  }
}
