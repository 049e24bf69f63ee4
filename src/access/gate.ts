import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { RateLimitedError, ScopeMissingError, UndeclaredRouteError } from './access.errors.js'
import { keyOf } from './callers.js'
import type { KeyRing } from './key-ring.js'
import type { RateLimiter } from './limits/rate-limiter.js'
import { type RateVerdict, WINDOW_MS } from './limits/rate-windows.js'
import type { Scope } from './scopes.js'

const MS_PER_SECOND = 1_000
/** What a host at home or in a data centre has at least to itself: 64 bits, in four groups. */
const IPV6_PREFIX_GROUPS = 4

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
      if (access !== 'open' && !keys.isOpen) admit(request, keys, access)
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

/** An address as a client: one host has a whole network of IPv6 addresses to come from. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined || !address.includes(':')) return mapped ?? address
  const [head = '', tail] = address.split('::')
  const groups = head.split(':').filter((group) => group !== '')
  const isWhole = tail === undefined || groups.length >= IPV6_PREFIX_GROUPS
  const zeros = isWhole ? 0 : 8 - groups.length - tail.split(':').filter((group) => group !== '').length
  const whole = [...groups, ...Array<string>(zeros).fill('0'), ...(tail ?? '').split(':')]
  return `${whole.slice(0, IPV6_PREFIX_GROUPS).join(':')}::/64`
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
