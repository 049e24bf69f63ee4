import type { FastifyReply } from 'fastify'
import type { ListPersonasQuery } from '../dto/list-personas.query.js'
import { itemsOf } from '../dto/query-values.js'
import { JSON_MEDIA_TYPE, PERSONAS_PATH, withFields } from '../persona.presenter.js'
import { representAll } from '../reads/representation.js'
import { writeCursor } from './cursor.js'
import type { ListPage, ListRequest, Position } from './list-request.js'

/** Answers a page of a list that is walked by cursors, with `Link` (RFC 8288) and, if it was asked for, the count. */
export function presentList(
  reply: FastifyReply,
  query: ListPersonasQuery,
  request: ListRequest,
  { personas, next, previous, total }: ListPage,
): Buffer {
  const cursorTo = (start: Position, isBackwards: boolean) => writeCursor(request, { start, isBackwards })
  const links = [link(query, 'first', '')]
  if (previous) links.push(link(query, 'prev', cursorTo(previous, true)))
  if (next) links.push(link(query, 'next', cursorTo(next, false)))
  if (total) {
    reply
      .header('x-total-count', String(total.count))
      .header('x-total-count-relation', total.isExact ? 'exact' : 'at-least')
  }
  reply.header('link', links.join(', ')).header('content-type', JSON_MEDIA_TYPE)
  return withFields(query, representAll(personas))
}

const REPEATED = ['q', 'theme'] as const
const ITEMS = ['default_content_rating', 'allowed_content_rating', 'base_image_status', 'fields'] as const
const TIMES = ['created_after', 'created_before', 'updated_after', 'updated_before'] as const

/** The same list, from another place on. */
function link(query: ListPersonasQuery, rel: string, cursor: string): string {
  const { limit, active_only: activeOnly, sort, appearance_locked: isLocked, total } = query
  const parameters = new URLSearchParams({ limit: String(limit), active_only: String(activeOnly) })
  const add = (name: string, value: string | string[] | boolean | undefined) => {
    for (const one of [value ?? []].flat()) parameters.append(name, String(one))
  }
  add('sort', sort)
  for (const name of REPEATED) add(name, query[name])
  // Each once: whoever asks for the same a thousand times gets no longer header for it.
  for (const name of ITEMS) {
    if (query[name] !== undefined) add(name, [...new Set(itemsOf(query[name]))].join(','))
  }
  add('appearance_locked', isLocked)
  for (const name of TIMES) add(name, query[name]?.toISOString())
  add('total', total)
  add('cursor', cursor)
  return `<${PERSONAS_PATH}/?${parameters.toString()}>; rel="${rel}"`
}
