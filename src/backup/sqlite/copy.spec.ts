import { describe, expect, it } from '@jest/globals'
import { assertNothingMissing } from './copy.js'

describe('assertNothingMissing', () => {
  const before = new Map([
    ['a', 1],
    ['b', 3],
  ])

  it.each([
    ['as before', { a: 1, b: 3 }, { a: 1, b: 3 }],
    ['changed meanwhile, and in the copy or not', { a: 2, b: 3 }, { a: 2, b: 4 }],
    ['deleted meanwhile, and in the copy or not', { b: 3 }, {}],
  ])('takes a copy of what was %s', (_what, copied, after) => {
    assertNothingMissing(before, new Map(Object.entries(copied)), new Map(Object.entries(after)))
  })

  it.each([
    ['lacks one', { a: 1 }, 'persona b has version (none) in it, 3 to 3'],
    ['has an old version', { a: 1, b: 2 }, 'persona b has version 2 in it'],
    ['has a version that never was', { a: 1, b: 4 }, 'persona b has version 4 in it'],
  ])('refuses a copy that %s', (_what, copied, message) => {
    expect(() => assertNothingMissing(before, new Map(Object.entries(copied)), before)).toThrow(message)
  })
})
