import type { FastifyRequest } from 'fastify'
import type { ApiKey } from './api-key.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** See {@link keyOf}. */
    apiKey: ApiKey | undefined
  }
}

/** The key that a request was let in with; undefined where none was needed. */
export function keyOf(request: FastifyRequest): ApiKey | undefined {
  return request.apiKey
}
