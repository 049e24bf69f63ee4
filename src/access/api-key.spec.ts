import { describe, expect, it } from '@jest/globals'
import { type ApiKey, hashOf, hasEnded, isSameKey, makeKey, readKey } from './api-key.js'

const NOW = new Date('2026-11-23T05:06:07.089Z')
const stored = (fields: Partial<ApiKey>): ApiKey => ({
  ...{ id: 'aaaaaaaa', name: 'Studio', hash: hashOf('x'), scopes: [], createdAt: NOW },
  ...{ expiresAt: null, revokedAt: null, lastUsedAt: null },
  ...fields,
})

describe('a key', () => {
  it('has a public id, 256 random bits and a checksum, and is read back', () => {
    const { id, key } = makeKey()
    expect(key).toMatch(/^gator_[0-9a-z]{8}_[0-9A-Za-z]{49}$/)
    expect(readKey(key)).toEqual({ id, hash: hashOf(key) })
    expect(new Set(Array.from({ length: 100 }, () => makeKey().key)).size).toBe(100)
  })

  it('is told from one with a typing error in any of its characters', () => {
    const { key } = makeKey()
    for (let index = 0; index < key.length; index++) {
      const other = key[index] === 'a' ? 'b' : 'a'
      expect([index, readKey(key.slice(0, index) + other + key.slice(index + 1))]).toEqual([index, null])
    }
    for (const wrong of ['', 'gator_', key.slice(1), `${key}0`, ` ${key}`, key.toUpperCase()])
      expect(readKey(wrong)).toBeNull()
  })

  it('is the one whose hash it has, and nobody’s otherwise', () => {
    const { id, key } = makeKey()
    const presented = { id, hash: hashOf(key) }
    expect(isSameKey(presented, stored({ hash: hashOf(key) }))).toBe(true)
    expect(isSameKey(presented, stored({ hash: hashOf(makeKey().key) }))).toBe(false)
    expect(isSameKey(presented, undefined)).toBe(false)
    expect(isSameKey({ id, hash: '0'.repeat(64) }, undefined)).toBe(false)
  })

  it.each<[string, Partial<ApiKey>, boolean]>([
    ['that was made is good', {}, false],
    ['is good until it expires', { expiresAt: new Date(NOW.getTime() + 1) }, false],
    ['has ended when it expires', { expiresAt: NOW }, true],
    ['has ended when it was revoked', { revokedAt: NOW }, true],
  ])('%s', (_what, fields, expected) => {
    expect(hasEnded(stored(fields), NOW)).toBe(expected)
  })
})
