import { createParamDecorator, type ExecutionContext } from '@nestjs/common'
import type { FastifyRequest } from 'fastify'
import { pathOf } from '../http/fastify-hooks.js'
import { parseIdempotencyKey } from './idempotency-key.js'

/** A request that may be repeated without being carried out again. */
export interface IdempotentRequest {
  readonly key: string
  /** What tells it from another request, beside its body. */
  readonly identity: readonly unknown[]
}

/** The request's `Idempotency-Key`; undefined when it has none. */
export const Idempotent = createParamDecorator(
  (_data: unknown, context: ExecutionContext): IdempotentRequest | undefined => {
    const { method, url, headers } = context.switchToHttp().getRequest<FastifyRequest>()
    const key = parseIdempotencyKey(headers['idempotency-key'])
    // The router takes a path with and without a trailing slash for the same one.
    const path = pathOf(url).replace(/\/$/, '')
    return key === undefined ? undefined : { key, identity: [method, path, headers['if-match'] ?? null] }
  },
)
