import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { contradictions, type Operation } from './linearizability.js'
import { seed } from './scale.js'

function write(version: number | undefined, start: number, end: number, value = `v${version}`): Operation {
  return { kind: 'write', persona: 'p', start, end, value, version }
}

function read(version: number, start: number, end: number, value = `v${version}`): Operation {
  return { kind: 'read', persona: 'p', start, end, value, version }
}

const CREATED = write(1, 0, 1)

describe('the judge of freshness', () => {
  it.each<[string, Operation[]]>([
    ['reads after writes', [CREATED, write(2, 2, 3), read(2, 4, 5), read(2, 6, 7)]],
    ['a read beside a write, of before it', [CREATED, write(2, 2, 9), read(1, 3, 4)]],
    ['a read beside a write, of after it', [CREATED, write(2, 2, 9), read(2, 3, 4), read(2, 5, 6)]],
    ['writes beside each other, in either order', [CREATED, write(3, 2, 9), write(2, 3, 8), read(3, 10, 11)]],
    ['a write without an answer that never was', [CREATED, write(undefined, 2, Infinity, 'x'), read(1, 5, 6)]],
    [
      'a write without an answer that was',
      [CREATED, write(undefined, 2, Infinity, 'x'), read(1, 5, 6), read(2, 7, 8, 'x')],
    ],
    ['other personas', [CREATED, { ...write(1, 5, 6), persona: 'q' }, { ...read(1, 7, 8), persona: 'q' }]],
  ])('finds nothing against %s', (_case, history) => {
    expect(contradictions(history)).toEqual([])
  })

  it.each<[string, Operation[], string]>([
    [
      'a stale read',
      [CREATED, write(2, 2, 3), read(1, 4, 5)],
      'a read of v1 (version 1) began at 4, when version 2 was over',
    ],
    ['a read that goes back', [CREATED, write(2, 2, 9), read(2, 3, 4), read(1, 5, 6)], 'a read of v1'],
    ['a read from the future', [CREATED, read(2, 2, 3), write(2, 4, 5)], 'a write of v2 (version 2) began at 4'],
    ['a write that was overtaken', [CREATED, write(3, 2, 3), write(2, 4, 5)], 'a write of v2'],
    [
      'a version that two have made',
      [CREATED, write(2, 2, 9), write(2, 3, 8, 'x')],
      'version 2 was made by x and by v2',
    ],
    [
      'a value that is another',
      [CREATED, write(2, 2, 3), read(2, 4, 5, 'x')],
      'version 2 was read as x, written as v2',
    ],
    ['a value that nobody has written', [CREATED, read(2, 4, 5, 'x')], 'version 2 was read as x, written as undefined'],
    ['a lost write', [CREATED, write(2, 2, 3), read(1, 3.5, 9), read(1, 10, 11)], 'a read of v1'],
    ['a version too many', [CREATED, write(9, 2, 3)], 'version 9 after 2 operations'],
    [
      'a late effect that its reader denies',
      [CREATED, write(undefined, 2, 3, 'x'), read(2, 4, 5, 'x'), read(1, 6, 7)],
      'a read of v1',
    ],
  ])('finds %s', (_case, history, contradiction) => {
    expect(contradictions(history)).toEqual(expect.arrayContaining([expect.stringContaining(contradiction)]))
  })

  // A register that really is one, each operation at a moment of its own between its start and its end.
  it('finds nothing against any history of one register, and every read of it that is older than what was over', () => {
    const operation = fc.record({ isWrite: fc.boolean(), before: fc.nat(5), after: fc.nat(5) })
    fc.assert(
      fc.property(fc.array(operation, { minLength: 2, maxLength: 40 }), fc.nat(), (operations, choice) => {
        let version = 1
        const history = [write(1, -2, -1)]
        for (const [moment, { isWrite, before, after }] of operations.entries()) {
          if (isWrite) version++
          const kind = isWrite ? write : read
          history.push(kind(version, moment - before, moment + after + 0.5))
        }
        expect(contradictions(history)).toEqual([])
        const reads = history.filter(({ kind }) => kind === 'read')
        const stale = reads[choice % Math.max(1, reads.length)]
        const over = history.filter(({ end }) => stale && end < stale.start).map(({ version: made = 0 }) => made)
        const newest = Math.max(...over)
        if (!stale || newest < 2) return
        const planted = history.map((one) => (one === stale ? read(newest - 1, stale.start, stale.end) : one))
        expect(contradictions(planted)).not.toEqual([])
      }),
      { seed },
    )
  })
})
