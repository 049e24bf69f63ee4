import type { Scope } from './scopes.js'

/** Why somebody was refused: a value of a metric's label, and what the log says. */
export const ACCESS_REFUSALS = [
  'no-key',
  'malformed-key',
  'unknown-key',
  'revoked-key',
  'expired-key',
  'scope',
  'rate-limit',
  'host',
  'cross-origin',
  'loopback-only',
  'undeclared-route',
] as const
export type AccessRefusal = (typeof ACCESS_REFUSALS)[number]

/** Whoever asked may not. The message is for them; it says nothing that they do not know. */
export abstract class AccessRefusedError extends Error {
  abstract readonly reason: AccessRefusal

  /** The id of the key that was shown, if it could be one. */
  constructor(
    message: string,
    readonly keyId?: string | undefined,
  ) {
    super(message)
  }
}

type KeyFault = Extract<AccessRefusal, `${string}-key`>

/** All but the first one go into a header too, where ASCII alone is safe. */
const KEY_FAULTS: Readonly<Record<KeyFault, string>> = {
  'no-key': 'This needs an API key: Authorization: Bearer gator_…',
  'malformed-key': 'What Authorization holds is no API key of this service, or has a typing error in it.',
  'unknown-key': 'The API key is not one of this service.',
  'revoked-key': 'The API key was revoked.',
  'expired-key': 'The API key has expired.',
}
const REALM = 'Bearer realm="gator-personas"'

/** There is no key with the request, or none that is good. */
export class UnauthenticatedError extends AccessRefusedError {
  override readonly name = 'UnauthenticatedError'

  constructor(
    override readonly reason: KeyFault,
    keyId?: string,
  ) {
    super(KEY_FAULTS[reason], keyId)
  }

  /** The value of `WWW-Authenticate` (RFC 6750, section 3). */
  get challenge(): string {
    return this.reason === 'no-key' ? REALM : `${REALM}, error="invalid_token", error_description="${this.message}"`
  }
}

/** The key is good, and not for this. */
export class ScopeMissingError extends AccessRefusedError {
  override readonly name = 'ScopeMissingError'
  override readonly reason = 'scope'

  constructor(
    readonly missingScope: Scope,
    keyId: string,
  ) {
    super(`This needs a key with the scope ${missingScope}.`, keyId)
  }

  get challenge(): string {
    return `${REALM}, error="insufficient_scope", scope="${this.missingScope}"`
  }
}

/** The key, or the address, has asked as often as it may. */
export class RateLimitedError extends AccessRefusedError {
  override readonly name = 'RateLimitedError'
  override readonly reason = 'rate-limit'

  constructor(
    readonly retryAfterSeconds: number,
    keyId: string | undefined,
  ) {
    super('These are more requests than RATE_LIMIT_PER_MINUTE permits; nothing was done.', keyId)
  }
}

/** The request names a host that this server is not. */
export class HostNotAllowedError extends AccessRefusedError {
  override readonly name = 'HostNotAllowedError'
  override readonly reason = 'host'

  constructor() {
    super('This server does not answer for that host: ALLOWED_HOSTS names those that it answers for.')
  }
}

/** A page of another origin made a request that changes something, and CORS_ORIGINS does not name that origin. */
export class CrossOriginError extends AccessRefusedError {
  override readonly name = 'CrossOriginError'
  override readonly reason = 'cross-origin'
}

/** Somebody without a key asked from another machine, or through something that may stand for one. */
export class LoopbackOnlyError extends AccessRefusedError {
  override readonly name = 'LoopbackOnlyError'
  override readonly reason = 'loopback-only'

  constructor(why: string) {
    super(`Without an API key this is for the machine that the server runs on: ${why}.`)
  }
}

/** The route does not say who may call it, which is a fault of ours: so nobody may. */
export class UndeclaredRouteError extends AccessRefusedError {
  override readonly name = 'UndeclaredRouteError'
  override readonly reason = 'undeclared-route'

  constructor() {
    super('Nobody may call this.')
  }
}
