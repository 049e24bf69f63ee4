import type { Persona } from './persona.js'

/** Of a persona, what is searched. */
export type Searchable = Pick<Persona, 'name' | 'appearance' | 'personality' | 'contentThemes'>

/** What a search asks of a persona: all of it must hold. */
export interface Search {
  /** Folded; each must be the beginning of a word of the persona. */
  readonly words: readonly string[]
  /** Each must be one of the persona's themes, exactly. */
  readonly themes: readonly string[]
}

/** Terms that an index holds, from the first to the last. */
export interface TermRange {
  readonly from: string
  readonly to: string
}

/** A term has at most so many code points: a theme may be of any length, and a key of PostgreSQL's index may not. */
const TERM_LENGTH = 40
/** No text that begins with a term is greater than the term with this at its end. */
const LAST_CODE_POINT = '\u{10ffff}'
/** Scripts that do not put spaces between words: each of their characters counts as one. */
const UNSPACED = String.raw`\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}`
const WORDS = new RegExp(String.raw`[${UNSPACED}]|(?:(?![${UNSPACED}])[\p{L}\p{N}])+`, 'gu')
const MARKS = /\p{M}/gu

/**
 * The words of a text in the form in which words are compared: compatibility characters taken apart (NFKD), without case
 * and without combining marks. Made here alone, so that it is the same whichever database keeps the text. To fold what
 * was folded changes nothing.
 */
export function foldedWords(text: string): string[] {
  // Some letters meet in the upper case alone (ß and SS), and some get there by way of the lower one (ẞ).
  const caseless = text.normalize('NFKD').toLowerCase().toUpperCase().toLowerCase().normalize('NFKD')
  // The one letter whose lower case depends on its place in a word.
  return caseless.replace(MARKS, '').replaceAll('ς', 'σ').match(WORDS) ?? []
}

/** The terms by which a persona is found in the index. */
export function termsOf(persona: Searchable): string[] {
  const texts = [persona.name, persona.appearance, persona.personality, ...themesOf(persona)]
  const words = texts.flatMap(foldedWords).map(wordTerm)
  return [...new Set([...words, ...themesOf(persona).map(themeTerm)])]
}

/** Where the index has those that may match: one range for each thing that is asked. Whoever matches is in all of them. */
export function rangesOf({ words, themes }: Search): TermRange[] {
  const exact = themes.map(themeTerm).map((term) => ({ from: term, to: term }))
  return [...exact, ...words.map(wordTerm).map((term) => ({ from: term, to: term + LAST_CODE_POINT }))]
}

/** Whether a persona is what was searched for. This decides; the index only spares the look at others. */
export function isMatch(persona: Searchable, { words, themes }: Search): boolean {
  if (!themes.every((theme) => persona.contentThemes.includes(theme))) return false
  if (words.length === 0) return true
  const texts = [persona.name, persona.appearance, persona.personality, ...themesOf(persona)]
  const own = texts.flatMap(foldedWords)
  return words.every((word) => own.some((candidate) => candidate.startsWith(word)))
}

const wordTerm = (word: string) => `w${shortened(word)}`
const themeTerm = (theme: string) => `t${shortened(theme)}`

// What no database takes is left out: themes that were written past the service may have it.
function shortened(text: string): string {
  return [...text.replaceAll('\0', '').toWellFormed()].slice(0, TERM_LENGTH).join('')
}

// Written past the service, they may be anything that JSON is.
function themesOf({ contentThemes }: Searchable): string[] {
  return contentThemes.filter((theme: unknown) => typeof theme === 'string')
}
