import { canonicalTime, isoTime, ValueError } from '../canonical.js'
import type { Kind, Value } from '../model.js'

/** What SQLite gives back, integers as BigInt. */
type Raw = string | bigint | number | Buffer | null

/** The declared types that Prisma's migrations write, and their synonyms. */
const KINDS: Readonly<Record<string, Kind>> = {
  TEXT: 'text',
  VARCHAR: 'text',
  CLOB: 'text',
  BOOLEAN: 'boolean',
  TINYINT: 'integer',
  SMALLINT: 'integer',
  MEDIUMINT: 'integer',
  INT: 'integer',
  INTEGER: 'integer',
  BIGINT: 'integer',
  INT8: 'integer',
  FLOAT: 'real',
  DOUBLE: 'real',
  'DOUBLE PRECISION': 'real',
  REAL: 'real',
  DATETIME: 'time',
  TIMESTAMP: 'time',
  BLOB: 'bytes',
}

export function kindOfSqliteType(type: string): Kind | undefined {
  return KINDS[type.toUpperCase().replace(/\(.*\)$/, '')]
}

/**
 * What SQLite holds, in canonical form. A column holds whatever was put there, so the value is looked at.
 * @throws ValueError when it is not what the column was declared to be
 */
export function fromSqlite(kind: Kind, raw: unknown): Value {
  const value = raw as Raw
  if (value === null) return null
  switch (kind) {
    case 'text':
      if (typeof value === 'string') return value
      break
    case 'integer':
      if (typeof value === 'bigint') return value.toString()
      break
    case 'boolean':
      if (value === 0n || value === 1n) return value === 1n ? 't' : 'f'
      break
    case 'real':
      if (typeof value === 'number' || typeof value === 'bigint') return String(Number(value))
      break
    case 'time':
      if (typeof value === 'string') return canonicalTime(value)
      if (typeof value === 'number' || typeof value === 'bigint') return isoTime(Number(value))
      break
    case 'bytes':
      if (Buffer.isBuffer(value)) return value.toString('base64')
  }
  throw new ValueError(`it holds a ${Buffer.isBuffer(value) ? 'blob' : typeof value} where ${kind} was declared`)
}

/** A canonical value as the service itself would write it. */
export function toSqlite(kind: Kind, value: Value): string | bigint | number | Buffer | null {
  if (value === null) return null
  switch (kind) {
    case 'text':
      return value
    case 'integer':
      return BigInt(value)
    case 'boolean':
      return value === 't' ? 1n : 0n
    case 'real':
      return Number(value)
    case 'time':
      return value.replace('Z', '+00:00')
    case 'bytes':
      return Buffer.from(value, 'base64')
  }
}
