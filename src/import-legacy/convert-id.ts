import { v5 as uuidv5 } from 'uuid'
import { canonicalId } from '../personas/persona-id.js'
import type { FieldFindings } from './findings.js'
import { type LegacyValue, toReport } from './legacy-value.js'

// PostgreSQL's indexes hold keys of 2704 bytes; nobody's id is nearly as long.
const MAX_ID_BYTES = 1_024
const UUID_BYTES = 16
/** The namespace (RFC 9562, section 5.5) of the ids that are made here; a random UUID. */
const NAMESPACE = '0f6e4a52-6a5f-4d0e-9a43-6f1f6d2a7c11'

/**
 * Reads an id. A UUID becomes canonical. Other text stays, although the API cannot address it. What the column cannot
 * hold at all gets an id that depends on the row alone, so that the next import finds it again.
 */
export function readId(value: LegacyValue, row: number, findings: FieldFindings): string {
  const text = idText(value)
  const canonical = text === null ? null : canonicalId(text)
  if (canonical !== null) return canonical
  if (text !== null && !text.includes('\0') && Buffer.byteLength(text) <= MAX_ID_BYTES) {
    findings.tell('id', 'is not a UUID: the API lists this persona, but cannot address it')
    return text
  }
  return findings.replaced('cannot be an id', value, madeId(value, row))
}

/** The id of a row that cannot have its own: the same at every import. */
export function madeId(value: LegacyValue, row: number): string {
  return uuidv5(JSON.stringify([row, toReport(value)]), NAMESPACE)
}

function idText(value: LegacyValue): string | null {
  if (typeof value === 'string') return value
  if (typeof value === 'bigint' || typeof value === 'number') return String(value)
  return value instanceof Uint8Array && value.length === UUID_BYTES ? Buffer.from(value).toString('hex') : null
}
