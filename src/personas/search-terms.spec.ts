import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { foldedWords, isMatch, rangesOf, type Search, type Searchable, termsOf } from './search-terms.js'

const aText = (text: string, contentThemes: readonly string[] = []): Searchable => {
  return { name: text, appearance: 'x', personality: 'y', contentThemes }
}
const search = (words: string, ...themes: string[]): Search => ({ words: foldedWords(words), themes })

/** Letters whose forms are many, among any others. */
const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...'aAéÉßẞſıIİiσςΣﬁﬀÅÅ가각ก็あ紅１²Ⅳªŉǰ\u0301\u0323\u200d\0 -\'"%_*\ud800'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
  maxLength: 12,
})

describe('foldedWords', () => {
  it.each([
    ['Tech Innovator SARAH', ['tech', 'innovator', 'sarah']],
    ['Zoë ZOE\u0308 zoé', ['zoe', 'zoe', 'zoe']],
    ['Straße STRASSE', ['strasse', 'strasse']],
    ['İstanbul ISTANBUL ıstanbul', ['istanbul', 'istanbul', 'istanbul']],
    ['ΟΔΟΣ οδος οδοσ', ['οδοσ', 'οδοσ', 'οδοσ']],
    ['ＦＵＬＬ ﬁne', ['full', 'fine']],
    [
      `O'Neil rock'n'roll A-1 under_score 3.5`,
      ['o', 'neil', 'rock', 'n', 'roll', 'a', '1', 'under', 'score', '3', '5'],
    ],
    ['紅葉abc ひかり', ['紅', '葉', 'abc', 'ひ', 'か', 'り']],
    ['مَرْحَبًا привет', ['مرحبا', 'привет']],
    ['🌊 \0 ‍ --', []],
  ])('are those of %j', (given, words) => {
    expect(foldedWords(given)).toEqual(words)
  })

  it('are the same when they are folded again, and whatever the case and the normal form', () => {
    fc.assert(
      fc.property(text, (given) => {
        const words = foldedWords(given)
        expect(foldedWords(words.join(' '))).toEqual(words)
        for (const form of ['NFC', 'NFD', 'NFKC', 'NFKD']) expect(foldedWords(given.normalize(form))).toEqual(words)
      }),
    )
  })
})

describe('a search', () => {
  it.each<[string, Searchable, Search, boolean]>([
    ['the beginning of a word', aText('Sarah Lin'), search('sar'), true],
    ['the middle of a word', aText('Sarah Lin'), search('ara'), false],
    ['all words, in any order', aText('Sarah Lin'), search('li sa'), true],
    ['one word that is missing', aText('Sarah Lin'), search('sarah kim'), false],
    ['a word of a theme', aText('Sarah', ['deep learning']), search('learn'), true],
    ['a whole theme', aText('Sarah', ['deep learning']), search('', 'deep learning'), true],
    ['a theme in another case', aText('Sarah', ['Deep learning']), search('', 'deep learning'), false],
    ['two themes', aText('Sarah', ['a', 'b', 'c']), search('', 'a', 'c'), true],
    ['words longer than terms are', aText('a'.repeat(60)), search('a'.repeat(59)), true],
    ['words longer than terms are, another', aText('a'.repeat(60)), search('a'.repeat(50) + 'b'), false],
  ])('for %s', (_label, persona, asked, expected) => {
    expect(isMatch(persona, asked)).toBe(expected)
  })

  it('finds nothing that the index would not have found', () => {
    const themes = fc.array(text, { maxLength: 2 })
    fc.assert(
      fc.property(text, themes, text, themes, fc.nat(4), (own, ownThemes, asked, askedThemes, length) => {
        const persona = aText(own, ownThemes)
        const words = foldedWords(`${asked} ${own}`).map((word) => [...word].slice(0, length + 1).join(''))
        const search = { words: words.slice(0, 3), themes: [...askedThemes, ...ownThemes].slice(0, 2) }
        const terms = termsOf(persona).map((term) => Buffer.from(term))
        const isIn = (from: string, to: string) =>
          terms.some((term) => term.compare(Buffer.from(from)) >= 0 && term.compare(Buffer.from(to)) <= 0)
        const wouldFind = rangesOf(search).every(({ from, to }) => isIn(from, to))
        if (isMatch(persona, search)) expect(wouldFind).toBe(true)
      }),
    )
  })

  it('has terms that both databases take as keys, of any text', () => {
    fc.assert(
      fc.property(fc.array(text), (themes) => {
        for (const term of termsOf(aText(themes.join('').repeat(20), [themes.join('').repeat(20)]))) {
          expect([term.includes('\0'), term.isWellFormed(), Buffer.byteLength(term) <= 200]).toEqual([
            false,
            true,
            true,
          ])
        }
      }),
    )
  })
})
