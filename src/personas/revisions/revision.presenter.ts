import type { FastifyReply } from 'fastify'
import { jsonPatchBetween, type PatchOperation } from '../../http/json-patch.js'
import type { ListRevisionsQuery } from '../dto/list-revisions.query.js'
import type { Persona } from '../persona.js'
import { toResource } from '../persona.mapper.js'
import { PERSONAS_PATH } from '../persona.presenter.js'
import type { Revision, RevisionWithState } from './revision.js'
import type { RevisionResource, RevisionWithStateResource } from './revision.resource.js'

export const JSON_PATCH = 'application/json-patch+json'

export function presentRevision(revision: RevisionWithState): RevisionWithStateResource {
  return { ...toRevisionResource(revision), state: toResource(revision.state) }
}

/** Answers a page with `Link` (RFC 8288): to the first, and to the next when this one is full. */
export function presentRevisions(
  reply: FastifyReply,
  id: string,
  { limit }: ListRevisionsQuery,
  revisions: readonly Revision[],
): RevisionResource[] {
  const link = (before: string, rel: string) =>
    `<${PERSONAS_PATH}/${id}/revisions?limit=${limit}${before}>; rel="${rel}"`
  const last = revisions.length === limit ? revisions.at(-1) : undefined
  const next = last ? [link(`&before=${last.seq}`, 'next')] : []
  reply.header('link', [link('', 'first'), ...next].join(', '))
  return revisions.map(toRevisionResource)
}

/** Answers the JSON patch between two states as a client sees them. */
export function presentDiff(reply: FastifyReply, [before, after]: readonly [Persona, Persona]): PatchOperation[] {
  reply.type(JSON_PATCH)
  return jsonPatchBetween(toResource(before), toResource(after))
}

function toRevisionResource(revision: Revision): RevisionResource {
  const { seq, personaId, version, kind, changed, at, actor, requestId, worker } = revision
  return {
    ...{ seq, persona_id: personaId, version, kind, changed },
    ...{ at: at.toISOString(), actor, request_id: requestId, worker },
  }
}
