import { describe, expect, it } from '@jest/globals'
import { fingerprintOf, parseIdempotencyKey } from './idempotency-key.js'
import { MalformedIdempotencyKeyError } from './idempotency.errors.js'

const LONGEST = 'k'.repeat(255)

describe('parseIdempotencyKey', () => {
  it.each([
    [undefined, undefined],
    ['8e03978e-40d5-43dd-bc93-6894a57f9324', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
    ['"8e03978e-40d5-43dd-bc93-6894a57f9324"', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
    [' a=b;c/~! ', 'a=b;c/~!'],
    ['"a\\"b\\\\c"', 'a"b\\c'],
    [LONGEST, LONGEST],
    [`"${LONGEST}"`, LONGEST],
  ])('reads %j', (header, key) => {
    expect(parseIdempotencyKey(header)).toBe(key)
  })

  it.each(
    [
      ['', '""', ' ', 'a b', '"a b"', '"a', '"a"b"', '"a\\b"', '"a";p=1', 'ключ', 'a\u007f', 'a, b'],
      [`${LONGEST}k`, `"${LONGEST}k"`],
    ].flat(),
  )('refuses %j', (header) => {
    expect(() => parseIdempotencyKey(header)).toThrow(MalformedIdempotencyKeyError)
  })

  it('refuses several', () => {
    expect(() => parseIdempotencyKey(['a', 'b'])).toThrow(MalformedIdempotencyKeyError)
  })
})

describe('fingerprintOf', () => {
  it('is the same whatever the order of keys, at any depth', () => {
    const one = fingerprintOf('POST', '/x', { a: 1, b: { c: [1, { d: 1, e: null }] } })
    expect(one).toMatch(/^[0-9a-f]{64}$/)
    expect(fingerprintOf('POST', '/x', { b: { c: [1, { e: null, d: 1 }] }, a: 1 })).toBe(one)
  })

  it('is another one for another request', () => {
    const requests = [
      ['POST', '/x', undefined, { a: [1, 2] }],
      ['PATCH', '/x', undefined, { a: [1, 2] }],
      ['POST', '/y', undefined, { a: [1, 2] }],
      ['POST', '/x', '"1.0"', { a: [1, 2] }],
      ['POST', '/x', undefined, { a: [2, 1] }],
      ['POST', '/x', undefined, { a: [1, '2'] }],
      ['POST', '/x', undefined, {}],
    ]
    expect(new Set(requests.map((parts) => fingerprintOf(...parts))).size).toBe(requests.length)
  })
})
