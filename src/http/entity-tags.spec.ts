import { describe, expect, it } from '@jest/globals'
import { etagOf, versionOfETag } from '../personas/persona.etag.js'
import { hasCurrent, parseEntityTags } from './entity-tags.js'
import { prefersLenientHandling } from './prefer.js'

describe('parseEntityTags', () => {
  it.each([
    [undefined, undefined],
    ['*', '*'],
    [' * ', '*'],
    ['"a"', ['"a"']],
    ['"a", W/"b" ,"c,d"', ['"a"', 'W/"b"', '"c,d"']],
    [
      ['"a"', '"b"'],
      ['"a"', '"b"'],
    ],
    ['""', ['""']],
    [', "a",,', ['"a"']],
    ['a', []],
    ['"a" "b"', []],
    ['"a', []],
    ['', []],
    ['*, "a"', []],
  ])('reads %j as %j', (header, expected) => {
    expect(parseEntityTags(header)).toEqual(expected)
  })

  it('is not slow on a hostile header', () => {
    const start = performance.now()
    parseEntityTags(`${'"a",'.repeat(4_000)}x`)
    parseEntityTags(`"${'a'.repeat(16_000)}`)
    parseEntityTags(','.repeat(16_000))
    parseEntityTags(`"a"${', '.repeat(8_000)}x`)
    parseEntityTags(`"a"${' '.repeat(16_000)}x`)
    prefersLenientHandling(`handling${' '.repeat(16_000)}x`)
    expect(performance.now() - start).toBeLessThan(200)
  })
})

describe('hasCurrent', () => {
  it.each([
    [undefined, false],
    ['*' as const, true],
    [['"1.0"'], true],
    [['"2.0"', 'W/"1.0"'], true],
    [['"2.0"'], false],
    [[], false],
  ])('of %j is %s', (tags, expected) => {
    expect(hasCurrent(tags, '"1.0"')).toBe(expected)
  })
})

describe("a persona's ETag", () => {
  it('tells its version', () => {
    expect(versionOfETag(etagOf({ version: 12, generationCount: 345 }))).toBe(12)
    expect(versionOfETag('"2147483647.0"')).toBe(2_147_483_647)
  })

  it.each(['W/"1.0"', '"1"', '"a.0"', '"0.0"', '"1.0" ', '"01.0"', '1.0', '"2147483648.0"'])('is not %s', (tag) => {
    expect(versionOfETag(tag)).toBeNull()
  })
})

describe('prefersLenientHandling', () => {
  it.each([
    [undefined, false],
    ['handling=lenient', true],
    ['Handling = "lenient"', true],
    ['return=minimal, handling=lenient; x=y', true],
    [['return=minimal', 'handling=lenient'], true],
    ['handling=strict', false],
    ['handling=strict, handling=lenient', false],
    ['lenient', false],
  ])('of %j is %s', (header, expected) => {
    expect(prefersLenientHandling(header)).toBe(expected)
  })
})
