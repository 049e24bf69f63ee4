import type { FastifyReply } from 'fastify'

/** Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export const EVENT_STREAM = 'text/event-stream'

/** Whether an answer goes on for as long as the client likes: how long it took says nothing. */
export function isEventStream(reply: FastifyReply): boolean {
  return reply.request.method === 'GET' && String(reply.getHeader('content-type')).startsWith(EVENT_STREAM)
}
