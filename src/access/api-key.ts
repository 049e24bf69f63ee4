import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { Scope } from './scopes.js'

/** A key as it is kept: without its secret. */
export interface ApiKey {
  /** Public: a part of the key, and what the log calls it. */
  readonly id: string
  readonly name: string
  /** SHA-256 of the whole key, in hexadecimal. */
  readonly hash: string
  readonly scopes: readonly Scope[]
  readonly createdAt: Date
  readonly expiresAt: Date | null
  readonly revokedAt: Date | null
  readonly lastUsedAt: Date | null
}

/** A key as its holder sends it: `gator_<id>_<secret><checksum>`. */
export interface PresentedKey {
  readonly id: string
  readonly hash: string
}

const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
/** Read aloud and typed by people, so without capitals. */
const ID_ALPHABET = DIGITS.slice(0, 36)
const ID_LENGTH = 8
const SECRET_BYTES = 32
/** 62 ** 43 is the first power of 62 beyond 2 ** 256, 62 ** 6 the first beyond 2 ** 32. */
const SECRET_LENGTH = 43
const CHECKSUM_LENGTH = 6
const KEY = new RegExp(
  `^(gator_([0-9a-z]{${ID_LENGTH}})_[0-9A-Za-z]{${SECRET_LENGTH}})([0-9A-Za-z]{${CHECKSUM_LENGTH}})$`,
)

/** Makes a key. Its secret is random and is nowhere else: whoever loses it needs another. */
export function makeKey(): { readonly id: string; readonly key: string } {
  const id = Array.from({ length: ID_LENGTH }, () => ID_ALPHABET[randomInt(ID_ALPHABET.length)]).join('')
  const secret = base62(BigInt(`0x${randomBytes(SECRET_BYTES).toString('hex')}`), SECRET_LENGTH)
  const body = `gator_${id}_${secret}`
  return { id, key: body + checksumOf(body) }
}

/** Reads a key; null for what cannot be one: the checksum tells a typing error, and a scanner of leaked secrets, at once. */
export function readKey(text: string): PresentedKey | null {
  const [, body = '', id = '', checksum] = KEY.exec(text) ?? []
  return body !== '' && checksumOf(body) === checksum ? { id, hash: hashOf(text) } : null
}

/**
 * SHA-256. A slow hash protects secrets that can be guessed; this one has 256 random bits, so that nobody finds it by
 * trying, however fast the trying is, and each request would pay for the slowness.
 */
export function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}

const NOBODY = '0'.repeat(64)

/** Whether the key is this one, in a time that does not tell. Without a key the answer is no, after the same time. */
export function isSameKey(presented: PresentedKey, key: ApiKey | undefined): key is ApiKey {
  const isSame = timingSafeEqual(Buffer.from(presented.hash), Buffer.from(key?.hash ?? NOBODY))
  return isSame && key !== undefined
}

/** Whether a key is good for nothing any more. */
export function hasEnded({ revokedAt, expiresAt }: ApiKey, now: Date): boolean {
  return revokedAt !== null || (expiresAt !== null && expiresAt <= now)
}

function checksumOf(body: string): string {
  return base62(BigInt(crc32(body)), CHECKSUM_LENGTH)
}

function base62(value: bigint, length: number): string {
  let text = ''
  for (let rest = value; text.length < length; rest /= 62n) text = (DIGITS[Number(rest % 62n)] ?? '') + text
  return text
}
