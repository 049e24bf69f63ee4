import { createParamDecorator, type ExecutionContext } from '@nestjs/common'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Writer } from './writer.js'

/** Names, addresses, URNs; the bytes of a header beyond ASCII have no agreed meaning (RFC 9110, section 5.5). */
const ACTOR = /^[\x20-\x7e]{1,128}$/

/** Who makes this request: `X-Actor` as the client gives it (one that is too long, or not ASCII, is nobody's name). */
export const WrittenBy = createParamDecorator((_data: unknown, context: ExecutionContext): Writer => {
  const http = context.switchToHttp()
  const request = http.getRequest<FastifyRequest>()
  const worker = http.getResponse<FastifyReply>().getHeader('x-worker')
  return {
    actor: actorOf(request.headers['x-actor']),
    requestId: request.id,
    worker: worker === undefined ? null : Number(worker),
  }
})

function actorOf(header: string | string[] | undefined): string | null {
  const actor = typeof header === 'string' ? header.trim() : ''
  return ACTOR.test(actor) ? actor : null
}
