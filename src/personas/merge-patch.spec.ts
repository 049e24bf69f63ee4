import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { isJsonObject } from '../validation/rule.js'
import { mergePatch } from './merge-patch.js'

describe('mergePatch', () => {
  // The cases of RFC 7396, appendix A.
  it.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('merges %j and %j', (target, patch, expected) => {
    expect(mergePatch(target, patch)).toEqual(expected)
  })

  it('keeps keys that have a meaning in JavaScript as ordinary keys', () => {
    const patch: unknown = JSON.parse('{"constructor": {"prototype": {"polluted": true}}, "toString": null}')
    const merged = mergePatch({ kept: 1 }, patch)
    expect(JSON.stringify(merged)).toBe('{"kept":1,"constructor":{"prototype":{"polluted":true}}}')
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
  })

  it('makes any document of any other, by what RFC 7396 says of the patch between them', () => {
    const json = fc.object({
      key: fc.constantFrom('a', 'b', 'c', 'toString'),
      values: [fc.integer(), fc.string(), fc.constant([])],
    })
    fc.assert(
      fc.property(json, json, (before, after) => {
        expect(mergePatch(before, mergePatchBetween(before, after))).toEqual(after)
      }),
    )
  })

  it('changes neither argument, and applied twice does what once does', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (target, patch) => {
        const before = JSON.stringify([target, patch])
        const once = mergePatch(target, patch)
        expect(JSON.stringify([target, patch])).toBe(before)
        expect(mergePatch(once, patch)).toEqual(once)
      }),
    )
  })
})

/** For documents without null, which no patch can set. */
function mergePatchBetween(before: object, after: object): object {
  const removals = Object.keys(before).map((key) => [key, null])
  const others = Object.entries(after).map(([key, value]: [string, unknown]) => {
    const old: unknown = Object.hasOwn(before, key) ? Reflect.get(before, key) : undefined
    return [key, isJsonObject(old) && isJsonObject(value) ? mergePatchBetween(old, value) : value]
  })
  return Object.fromEntries([...removals, ...others]) as object
}
