import type { FieldFindings } from './findings.js'
import { InvalidText, type LegacyValue } from './legacy-value.js'

const REPLACEMENT = '\u{FFFD}'
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const lenientUtf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * Reads text that both databases hold. SQLite would hold U+0000 too, PostgreSQL does not: it is replaced for either, so
 * that a persona is the same wherever it lives.
 */
export function readText(value: LegacyValue, findings: FieldFindings): string | null {
  if (value === null) return null
  if (typeof value === 'string') {
    if (!value.includes('\0')) return value
    return findings.replaced('has U+0000, which PostgreSQL cannot hold', value, value.replaceAll('\0', REPLACEMENT))
  }
  if (typeof value === 'bigint' || typeof value === 'number') {
    return findings.converted('is a number, not text', value, String(value))
  }
  if (value instanceof InvalidText) {
    return findings.replaced('is not valid in its encoding', value, withoutNul(value.replaced))
  }
  const text = utf8OrNull(value)
  if (text === null || text.includes('\0')) {
    return findings.replaced('is a BLOB that is not text', value, withoutNul(lenientUtf8.decode(value)))
  }
  return findings.converted('is a BLOB, not text', value, text)
}

/** Text in UTF-8; null for bytes that are something else. */
export function utf8OrNull(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes)
  } catch {
    return null
  }
}

function withoutNul(text: string): string {
  return text.replaceAll('\0', REPLACEMENT)
}
