import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AnswerHeaders } from '../http/answer-headers.js'
import { hasCurrent, parseEntityTags } from '../http/entity-tags.js'
import type { PersonaResource } from './dto/persona.resource.js'
import type { FieldsQuery } from './dto/fields.query.js'
import type { ListPersonasQuery } from './dto/list-personas.query.js'
import { itemsOf } from './dto/query-values.js'
import type { Persona } from './persona.js'
import { etagOf } from './persona.etag.js'
import { toResource } from './persona.mapper.js'
import type { EditedPersona } from './persona.service.js'
import type { PageRepresentation, Representation } from './reads/representation.js'

export const PERSONAS_PATH = '/api/v1/personas'
/** As Fastify says it of what it has serialised itself. */
export const JSON_MEDIA_TYPE = 'application/json; charset=utf-8'
const NOT_MODIFIED = 304

/** Answers a persona with its ETag. */
export function present(headers: AnswerHeaders, persona: Persona): PersonaResource {
  headers.header('etag', etagOf(persona))
  return toResource(persona)
}

/** Answers an edit, with the version that it was made from when it was merged. */
export function presentEdited(headers: AnswerHeaders, { persona, mergedBase }: EditedPersona): PersonaResource {
  if (mergedBase !== null) headers.header('x-merged-base', String(mergedBase))
  return present(headers, persona)
}

/** Answers a read: 304 without a body when the client has the current representation. */
export function presentRead(
  request: FastifyRequest,
  reply: FastifyReply,
  query: FieldsQuery,
  { body, etag }: Representation,
): Buffer | undefined {
  reply.header('etag', etag)
  const { 'if-none-match': known } = request.headers
  // Most name the one tag that they have.
  if (known === etag || (known !== undefined && hasCurrent(parseEntityTags(known), etag))) {
    reply.code(NOT_MODIFIED)
    return undefined
  }
  reply.header('content-type', JSON_MEDIA_TYPE)
  return withFields(query, body)
}

/** Answers a new persona with its `Location`. */
export function presentCreated(headers: AnswerHeaders, persona: Persona): PersonaResource {
  headers.header('location', `${PERSONAS_PATH}/${persona.id}`)
  return present(headers, persona)
}

/** Answers a page with `X-Total-Count` and `Link` (RFC 8288). */
export function presentPage(reply: FastifyReply, query: ListPersonasQuery, page: PageRepresentation): Buffer {
  reply
    .header('x-total-count', String(page.total))
    .header('link', pageLinks(query, page.total))
    .header('content-type', JSON_MEDIA_TYPE)
  return withFields(query, page.body)
}

/** Leaves of a persona, or of each of several, the fields that a client asks for. Ids stay. */
export function withFields({ fields }: FieldsQuery, body: Buffer): Buffer {
  if (fields === undefined) return body
  const names = new Set(['id', ...itemsOf(fields)])
  const pick = (resource: object) => Object.fromEntries(Object.entries(resource).filter(([name]) => names.has(name)))
  const whole = JSON.parse(body.toString()) as object | object[]
  return Buffer.from(JSON.stringify(Array.isArray(whole) ? whole.map(pick) : pick(whole)))
}

function pageLinks(query: ListPersonasQuery, total: number): string {
  const { skip, limit, active_only: activeOnly } = query
  const link = (offset: number, rel: string) =>
    `<${PERSONAS_PATH}/?skip=${offset}&limit=${limit}&active_only=${String(activeOnly)}>; rel="${rel}"`
  const links = [link(0, 'first')]
  if (skip > 0) links.push(link(Math.max(0, skip - limit), 'prev'))
  if (skip + limit < total) links.push(link(skip + limit, 'next'))
  return links.join(', ')
}
