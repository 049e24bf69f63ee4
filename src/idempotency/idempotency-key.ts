import { createHash } from 'node:crypto'
import { isJsonObject } from '../validation/rule.js'
import { MalformedIdempotencyKeyError } from './idempotency.errors.js'

/** A string of structured fields (RFC 9651, section 3.3.3); its content is the first group. */
const QUOTED = /^"((?:[\x21\x23-\x5b\x5d-\x7e]|\\["\\])+)"$/
const BARE = /^[\x21\x23-\x7e][\x21-\x7e]*$/
const MAX_LENGTH = 255

/**
 * The key of an `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header, section 2.1), the same with quotes
 * and without; undefined when there is no such header. The draft asks for the quotes, most clients leave them out.
 * @throws MalformedIdempotencyKeyError; also for several headers, which Node joins with a comma and a space
 */
export function parseIdempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined
  const text = [header].flat().join(', ').trim()
  const quoted = QUOTED.exec(text)?.[1]?.replace(/\\(.)/g, '$1')
  const key = quoted ?? (BARE.test(text) ? text : '')
  if (key.length === 0 || key.length > MAX_LENGTH) throw new MalformedIdempotencyKeyError()
  return key
}

/** What a request means, so that its retry is told from another request: SHA-256 in hexadecimal, whatever the order of keys. */
export function fingerprintOf(...parts: readonly unknown[]): string {
  const canonical = JSON.stringify(parts, (_key, value: unknown) =>
    isJsonObject(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value,
  )
  return createHash('sha256').update(canonical).digest('hex')
}
