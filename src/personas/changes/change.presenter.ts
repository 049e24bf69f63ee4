import { Buffer } from 'node:buffer'
import { Readable } from 'node:stream'
import { StreamableFile } from '@nestjs/common'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { EVENT_STREAM } from '../../http/event-stream.js'
import { etagOf } from '../persona.etag.js'
import { toResource } from '../persona.mapper.js'
import { changeIdOf } from './change-id.js'
import type { Change, Position, ResetReason } from './change.js'
import type { ChangeResource, ChangesResource } from './change.resource.js'
import type { ChangesSince } from './change.service.js'

/** How long a client waits before it connects again. */
const RETRY_MS = 1_000

/** Answers what has changed since a place. */
export function presentChanges(reply: FastifyReply, { changes, next, hasMore, reset }: ChangesSince): ChangesResource {
  reply.header('cache-control', 'no-store')
  return {
    changes: changes.map((change) => presentChange(next.epoch, change)),
    next: changeIdOf(next),
    more: hasMore,
    reset,
  }
}

/**
 * Answers a stream after the id that the client names: by the header of a client that connects again (which repeats the
 * query of its first request), or in the query.
 * @param open makes it; not called for HEAD
 */
export async function presentStream(
  request: FastifyRequest,
  reply: FastifyReply,
  after: string | undefined,
  open: (id: string | undefined) => Promise<Readable>,
): Promise<StreamableFile> {
  const last = [request.headers['last-event-id']].flat()[0]
  const stream = request.method === 'HEAD' ? Readable.from([]) : await open(last || after)
  // A proxy is to pass each event on at once (nginx reads the last header).
  reply.type(EVENT_STREAM).header('cache-control', 'no-store').header('x-accel-buffering', 'no')
  // Any other stream Nest would read by itself, and hand on what it has read.
  return new StreamableFile(stream)
}

function presentChange(epoch: string, change: Change): ChangeResource {
  const { seq, kind, personaId, version, changed, at, actor, requestId, worker, persona } = change
  return {
    ...{ id: changeIdOf({ epoch, seq, at: at.getTime() }), type: kind, persona_id: personaId, version, changed },
    ...{ at: at.toISOString(), actor, request_id: requestId, worker },
    persona: persona && toResource(persona),
    etag: persona && etagOf(persona),
  }
}

// Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html). A text of JSON has no line break.

/** The block of a change. */
export function changeBlock(epoch: string, change: Change): Buffer {
  const resource = presentChange(epoch, change)
  return Buffer.from(`id: ${resource.id}\nevent: ${resource.type}\ndata: ${JSON.stringify(resource)}\n\n`)
}

/** The block that a stream begins with: a client knows where it is from the first moment on. It dispatches no event. */
export function firstBlock(position: Position): Buffer {
  return Buffer.from(`retry: ${RETRY_MS}\nid: ${changeIdOf(position)}\n\n`)
}

/** The block that tells a client that it has missed something, and where it goes on. */
export function resetBlock(position: Position, reason: ResetReason): Buffer {
  const id = changeIdOf(position)
  return Buffer.from(`id: ${id}\nevent: reset\ndata: ${JSON.stringify({ id, reason })}\n\n`)
}

/** What keeps a connection open on which nothing happens. */
export const COMMENT = Buffer.from(': nothing has changed\n\n')
