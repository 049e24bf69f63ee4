import { describe, expect, it } from '@jest/globals'
import { type AppliedMigration, compareHistory } from './migration-history.js'

const file = (name: string, checksum = `sum of ${name}`) => ({ name, checksum })
const applied = (name: string, overrides: Partial<AppliedMigration> = {}): AppliedMigration => ({
  ...file(name),
  isFinished: true,
  isRolledBack: false,
  ...overrides,
})

describe('compareHistory', () => {
  it.each([
    ['current', ['a', 'b'], [applied('a'), applied('b')], []],
    ['current', ['a'], [applied('a', { isRolledBack: true, isFinished: false }), applied('a')], []],
    ['behind', ['a', 'b', 'c'], [applied('a')], ['b', 'c']],
    ['behind', ['a'], [], ['a']],
    ['behind', ['a'], [applied('a', { isRolledBack: true })], ['a']],
    ['ahead', ['a'], [applied('a'), applied('z')], ['z']],
    ['edited', ['a', 'b'], [applied('a', { checksum: 'another' })], ['a']],
    ['failed', ['a', 'b'], [applied('a', { isFinished: false }), applied('z')], ['a']],
  ] as const)('answers %s', (state, files, rows, names) => {
    expect(
      compareHistory(
        files.map((name) => file(name)),
        rows,
      ),
    ).toEqual({ state, names })
  })
})
