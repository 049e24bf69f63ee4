import { canonicalTime, ValueError } from '../canonical.js'
import type { Kind, Value } from '../model.js'

/** PostgreSQL's own names (pg_type.typname) of the types that the migrations use, and of their kin. */
const KINDS: Readonly<Record<string, Kind>> = {
  text: 'text',
  varchar: 'text',
  bool: 'boolean',
  int2: 'integer',
  int4: 'integer',
  int8: 'integer',
  float4: 'real',
  float8: 'real',
  timestamp: 'time',
  timestamptz: 'time',
  bytea: 'bytes',
}

export function kindOfPostgresqlType(type: string): Kind | undefined {
  return KINDS[type]
}

/**
 * PostgreSQL's text form of a value, in canonical form.
 * @throws ValueError when it has none
 */
export function fromPostgresql(kind: Kind, text: string | null): Value {
  if (text === null) return null
  switch (kind) {
    case 'text':
    case 'integer':
    case 'boolean':
      return text
    case 'real':
      return String(Number(text))
    case 'time':
      return canonicalTime(text)
    case 'bytes':
      if (!text.startsWith('\\x')) throw new ValueError('bytea_output is not hex')
      return Buffer.from(text.slice(2), 'hex').toString('base64')
  }
}

/** A canonical value as PostgreSQL reads it. */
export function toPostgresql(kind: Kind, value: Value): Value {
  if (value === null || kind !== 'bytes') return value
  return `\\x${Buffer.from(value, 'base64').toString('hex')}`
}
