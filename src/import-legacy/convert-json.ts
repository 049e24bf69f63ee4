import { isJsonObject } from '../validation/rule.js'
import { utf8OrNull } from './convert-text.js'
import { memberOf } from './convert-scalar.js'
import type { FieldFindings } from './findings.js'
import type { LegacyValue } from './legacy-value.js'
import { scanJson } from './scan-json.js'

/** Deepest nesting that SQLite takes for JSON (JSON_MAX_DEPTH), and so the schema's CHECK constraints. */
const MAX_STORED_DEPTH = 1_000

export interface JsonColumn {
  readonly kind: 'array' | 'object'
  readonly defaultValue: object
  /** The enumeration whose members are the items or values, when there is one. */
  readonly words?: readonly string[]
}

/**
 * Reads a JSON document as the text that this service would have stored (no spaces, characters unescaped), if nothing is
 * lost by that; else its text stays as it was. What is no JSON of the column's kind becomes the default. SQLAlchemy
 * writes None as the JSON word null: that is NULL here.
 */
export function readJson(value: LegacyValue, column: JsonColumn, findings: FieldFindings): string {
  const { kind } = column
  const defaultText = JSON.stringify(column.defaultValue)
  const text = jsonTextOf(value)
  if (value === null || text?.trim() === 'null') {
    findings.note('null')
    return defaultText
  }
  const replaced = (detail: string) => findings.replaced(detail, value, defaultText)
  const parsed = text === null ? undefined : parse(text)
  if (text === null || parsed === undefined) return replaced('is not valid JSON')
  const { document } = parsed
  if (!(kind === 'array' ? Array.isArray(document) : isJsonObject(document))) return replaced(`must be an ${kind}`)
  const { depth, inexactNumbers, repeatedKeys } = scanJson(text)
  if (depth > MAX_STORED_DEPTH) return replaced(`is nested ${depth} deep, the database holds ${MAX_STORED_DEPTH}`)
  if (inexactNumbers.length > 0) findings.tell('inexact', `has numbers beyond a double: ${some(inexactNumbers)}`)
  if (repeatedKeys.length > 0) findings.tell('inexact', `has keys more than once: ${some(repeatedKeys)}`)
  if (typeof value !== 'string') findings.converted('is a BLOB, not text', value, text)
  if (inexactNumbers.length > 0 || repeatedKeys.length > 0) return text
  return JSON.stringify(column.words ? respelled(document as object, column.words, findings) : document)
}

function respelled(document: object, words: readonly string[], findings: FieldFindings): object {
  const spell = (item: unknown): unknown => (typeof item === 'string' ? (memberOf(words, item) ?? item) : item)
  const entries = Object.entries(document).map(([key, item]) => [key, item, spell(item)] as const)
  if (entries.every(([, before, after]) => before === after)) return document
  findings.note('respelled')
  if (Array.isArray(document)) return entries.map(([, , after]) => after)
  return Object.fromEntries(entries.map(([key, , after]) => [key, after]))
}

function jsonTextOf(value: LegacyValue): string | null {
  if (typeof value === 'bigint' || typeof value === 'number') return String(value)
  if (value instanceof Uint8Array) return utf8OrNull(value)
  return typeof value === 'string' ? value : null
}

function parse(text: string): { readonly document: unknown } | undefined {
  try {
    return { document: JSON.parse(text) }
  } catch {
    return undefined
  }
}

const SHOWN = 3

function some(items: readonly string[]): string {
  const more = items.length > SHOWN ? ` and ${items.length - SHOWN} more` : ''
  return (
    items
      .slice(0, SHOWN)
      .map((item) => JSON.stringify(item))
      .join(', ') + more
  )
}
