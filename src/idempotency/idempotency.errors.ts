/** The `Idempotency-Key` header is none that could be kept; nothing was changed. */
export class MalformedIdempotencyKeyError extends Error {
  override readonly name = 'MalformedIdempotencyKeyError'
  constructor() {
    super('Idempotency-Key must be one key of 1 to 255 visible ASCII characters, bare or in double quotes.')
  }
}

/** The key belongs to a request that was another one; nothing was changed. */
export class IdempotencyKeyReusedError extends Error {
  override readonly name = 'IdempotencyKeyReusedError'
  constructor() {
    super('This Idempotency-Key was used for a request with another method, path, If-Match or body.')
  }
}

/** The first request with the key is still under way. */
export class IdempotencyKeyInUseError extends Error {
  override readonly name = 'IdempotencyKeyInUseError'
  readonly retryAfterSeconds = 1
  constructor() {
    super('The first request with this Idempotency-Key is still under way; ask again for its answer.')
  }
}
