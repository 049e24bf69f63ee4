import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { scanJson } from './scan-json.js'

describe('scanJson', () => {
  it.each([
    ['{"a": 1, "b": {"a": 2}, "c": [{"a": 3}, {"a": 4}]}', { depth: 3 }],
    ['{"a": 1, "\\u0061": 2}', { depth: 1, repeatedKeys: ['a'] }],
    ['["a", "a", ":", "\\":", "{", "\\\\"]', { depth: 1 }],
    ['[1.10, 0.1, -0, 0e5, 1E2, 100e-2, 9007199254740992, 5e-324]', { depth: 1 }],
    [
      '[9007199254740993, 1e400, 0.1000000000000000000001]',
      { inexactNumbers: ['9007199254740993', '1e400', '0.1000000000000000000001'] },
    ],
    ['3', { depth: 0 }],
  ])('scans %s', (text, expected) => {
    expect(scanJson(text)).toEqual({ depth: 1, inexactNumbers: [], repeatedKeys: [], ...expected })
  })

  it('finds nothing lost in what JSON.stringify wrote, whatever the spaces', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1), (document, indent) => {
        const { inexactNumbers, repeatedKeys } = scanJson(JSON.stringify(document, null, indent))
        expect([inexactNumbers, repeatedKeys]).toEqual([[], []])
      }),
    )
  })

  it('takes a document of any depth', () => {
    const depth = 200_000
    expect(scanJson('['.repeat(depth) + ']'.repeat(depth)).depth).toBe(depth)
  })
})
