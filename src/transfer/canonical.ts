import { createHash } from 'node:crypto'
import type { Row } from './model.js'

/** A value that has no canonical form; the message says why. */
export class ValueError extends Error {
  override readonly name = 'ValueError'
}

const TIME = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d(?::?\d\d)?)?$/
const MILLISECOND_DIGITS = 3

/**
 * A time as either database writes it, in canonical form. One without a zone is UTC.
 * @throws ValueError when it is no time, or more exact than milliseconds: the other side could not hold it
 */
export function canonicalTime(text: string): string {
  const match = TIME.exec(text)
  if (!match) throw new ValueError(`"${text.slice(0, 40)}" is not a time from year 0 to 9999`)
  const [, date = '', minutes = '', seconds = '00', fraction = '', zone = 'Z'] = match
  if (/[^0]/.test(fraction.slice(MILLISECOND_DIGITS))) {
    throw new ValueError(`"${text}" is more exact than milliseconds`)
  }
  const milliseconds = fraction.slice(0, MILLISECOND_DIGITS).padEnd(MILLISECOND_DIGITS, '0')
  const local = `${date}T${minutes}:${seconds}.${milliseconds}`
  if (/^(?:Z|[+-]00(?::?00)?)$/.test(zone)) return `${local}Z`
  return isoTime(Date.parse(local + (zone.length === 3 ? `${zone}:00` : zone)))
}

/**
 * Milliseconds since 1970 in canonical form.
 * @throws ValueError when they are beyond the years that both databases know
 */
export function isoTime(milliseconds: number): string {
  const time = new Date(milliseconds)
  const year = time.getUTCFullYear()
  if (!(year >= 0 && year <= 9999)) throw new ValueError(`${milliseconds} is not a time from year 0 to 9999`)
  return time.toISOString()
}

/** SHA-256 of a row, equal on both sides if every value is. JSON keeps null, text and the borders between them apart. */
export function rowHash(row: Row): string {
  return createHash('sha256').update(JSON.stringify(row)).digest('hex')
}
