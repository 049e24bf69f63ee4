import { MAX_GENERATION_COUNT } from '../personas/persona.js'
import type { FieldFindings } from './findings.js'
import type { LegacyValue } from './legacy-value.js'

// Python's own text of an enumeration's member has the name of the class before it.
const CLASS_NAME = /^[A-Za-z_]\w*\./

/**
 * The member of an enumeration that a word means: in any case, as a name or as a value (they differ by case alone); null
 * for a word that is none of them.
 */
export function memberOf<T extends string>(words: readonly T[], word: string): T | null {
  const spelled = word.trim().replace(CLASS_NAME, '').toLowerCase()
  return words.find((member) => member === spelled) ?? null
}

/** Reads a member of an enumeration; what is none becomes `defaultWord`. */
export function readWord<T extends string>(
  value: LegacyValue,
  words: readonly T[],
  defaultWord: T,
  findings: FieldFindings,
): T {
  if (value === null) {
    findings.note('null')
    return defaultWord
  }
  const member = typeof value === 'string' ? memberOf(words, value) : null
  if (member === null) return findings.replaced(`must be one of ${words.join(', ')}`, value, defaultWord)
  if (member !== value) findings.note('respelled')
  return member
}

/** Reads a boolean as Python does: 0 is false, every other number true. */
export function readBoolean(value: LegacyValue, defaultValue: boolean, findings: FieldFindings): boolean {
  if (value === null) {
    findings.note('null')
    return defaultValue
  }
  if (value === 0n || value === 1n) return value === 1n
  if (typeof value === 'bigint' || typeof value === 'number') {
    return findings.converted('is neither 0 nor 1', value, Number(value) !== 0)
  }
  const word = typeof value === 'string' ? value.trim().toLowerCase() : ''
  if (word === 'true' || word === 'false') return findings.converted('is text', value, word === 'true')
  return findings.replaced('must be true or false', value, defaultValue)
}

/** Reads a count of generations; what is none that both databases hold becomes 0. */
export function readCount(value: LegacyValue, findings: FieldFindings): number {
  if (value === null) {
    findings.note('null')
    return 0
  }
  const isCount = typeof value === 'bigint' && value >= 0n && value <= BigInt(MAX_GENERATION_COUNT)
  return isCount
    ? Number(value)
    : findings.replaced(`must be a whole number from 0 to ${MAX_GENERATION_COUNT}`, value, 0)
}
