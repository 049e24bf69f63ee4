import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { applyJsonPatch } from '../../test/http/json-patch.js'
import { jsonPatchBetween } from './json-patch.js'

const anyJson = fc.oneof(
  fc.jsonValue(),
  fc.dictionary(fc.constantFrom('a', 'b/c', '~d', '', '__proto__', '0'), fc.jsonValue()),
)

describe('jsonPatchBetween', () => {
  it('makes the one of the other, whatever they are', () => {
    fc.assert(
      fc.property(anyJson, anyJson, (before, after) => {
        // As they come from a parser: without -0, which JSON has no way to keep.
        const [one, other] = [before, after].map((value) => JSON.parse(JSON.stringify(value)) as unknown)
        expect(applyJsonPatch(one, jsonPatchBetween(one, other))).toEqual(other)
      }),
    )
  })

  it('says no more than what differs', () => {
    const before = { a: 1, b: { c: [1, 2], d: null, 'e/f~g': true } }
    const after = { b: { 'e/f~g': false, c: [1], d: null, h: {} }, i: 'new' }
    expect(jsonPatchBetween(before, after)).toEqual([
      { op: 'remove', path: '/a' },
      { op: 'replace', path: '/b/e~1f~0g', value: false },
      { op: 'replace', path: '/b/c', value: [1] },
      { op: 'add', path: '/b/h', value: {} },
      { op: 'add', path: '/i', value: 'new' },
    ])
    expect(jsonPatchBetween(before, { b: before.b, a: 1 })).toEqual([])
  })
})
