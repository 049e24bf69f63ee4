import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { RateLimitedError, ScopeMissingError, UndeclaredRouteError } from './access.errors.js'
import { networkOf } from './addresses.js'
import { keyOf } from './callers.js'
import type { KeyRing } from './key-ring.js'
import type { RateLimiter } from './limits/rate-limiter.js'
import { type RateVerdict, WINDOW_MS } from './limits/rate-windows.js'
import type { Scope } from './scopes.js'
import { assertFromThisMachine } from './this-machine.js'

const MS_PER_SECOND = 1_000

/** How often a client may ask. */
export interface RateLimit {
  readonly perMinute: number
  readonly limiter: RateLimiter
}

/**
 * Lets a request pass when it may: before its body is read, and before every route, be it Nest's or not. To be added after
 * the hooks that set headers, and those that know that there is no such route.
 */
export function addGate(fastify: FastifyInstance, keys: KeyRing, limit: RateLimit | null): void {
  fastify.decorateRequest('apiKey', undefined)
  fastify.addHook('onRequest', (request, reply, done) => {
    const { access } = request.routeOptions.config
    if (access === 'probe') return done()
    const refusal = refusalOf(() => {
      if (access === undefined) throw new UndeclaredRouteError()
      if (access === 'open') return
      if (!keys.isOpen) admit(request, keys, access)
      else if (!keys.isOpenToAll) assertFromThisMachine(request)
    })
    if (!limit) return done(refusal)
    // Whoever tries keys out is counted by address.
    limit.limiter.take(clientOf(request)).then((verdict) => {
      tellLimit(reply, limit.perMinute, verdict)
      done(verdict.isAllowed ? refusal : new RateLimitedError(secondsOf(verdict), keyOf(request)?.id))
    }, done)
  })
}

function admit(request: FastifyRequest, keys: KeyRing, scope: Scope): void {
  const key = keys.find(request.headers.authorization)
  request.apiKey = key
  if (!key.scopes.includes(scope)) throw new ScopeMissingError(scope, key.id)
}

function refusalOf(check: () => void): Error | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    return error as Error
  }
}

function clientOf(request: FastifyRequest): string {
  return keyOf(request)?.id ?? networkOf(request.ip)
}

/** draft-ietf-httpapi-ratelimit-headers-10: what is left (`r`) until when (`t`, seconds) of how much (`q`) in `w` seconds. */
function tellLimit(reply: FastifyReply, perMinute: number, verdict: RateVerdict): void {
  void reply
    .header('ratelimit-policy', `"minute";q=${perMinute};w=${WINDOW_MS / MS_PER_SECOND}`)
    .header('ratelimit', `"minute";r=${verdict.remaining};t=${secondsOf(verdict)}`)
}

// The window was begun by another process' clock, or a rounded one of this: it is never said to be longer than it is.
function secondsOf({ resetsInMs }: RateVerdict): number {
  return Math.ceil(Math.min(resetsInMs, WINDOW_MS) / MS_PER_SECOND)
}
