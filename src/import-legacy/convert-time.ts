import type { FieldFindings } from './findings.js'
import type { LegacyValue } from './legacy-value.js'

const TIME =
  /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?\s*(Z|([+-])(\d\d):?(\d\d)?(?::?(\d\d)(?:\.\d+)?)?)?$/i
// What both databases keep and sort: years of four digits.
const FIRST = Date.parse('0001-01-01T00:00:00.000Z')
const LAST = Date.parse('9999-12-31T23:59:59.999Z')
const MS_DIGITS = 3

/** Both times of a row; `isOfImport` when it had none, and they are the time of the import. */
export interface Times {
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly isOfImport: boolean
}

/** Reads the times of a row. One that is missing or unreadable is taken from the other, or else is `now`. */
export function readTimes(
  created: { readonly value: LegacyValue; readonly findings: FieldFindings },
  updated: { readonly value: LegacyValue; readonly findings: FieldFindings },
  now: Date,
): Times {
  const known = [created, updated].map(({ value, findings }) => readTime(value, findings))
  const either = known.find((time) => time !== null)
  const [createdAt, updatedAt] = [created, updated].map(({ value, findings }, index) => {
    const time = known[index]
    if (time) return time
    const why = value === null ? 'is missing' : 'is not a time from year 1 to 9999'
    const stored = either ?? now
    findings.replaced(
      `${why}: took ${either ? 'the other time' : 'the time of the import'}`,
      value,
      stored.toISOString(),
    )
    return stored
  }) as [Date, Date]
  return { createdAt, updatedAt, isOfImport: either === undefined }
}

/** Reads a time, which without a zone is in UTC; what is less than a millisecond is cut off. */
function readTime(value: LegacyValue, findings: FieldFindings): Date | null {
  const match = typeof value === 'string' ? TIME.exec(value.trim()) : null
  if (!match) return null
  const [, year, month, day, hour, minute, second, fraction = ''] = match
  const [h, m, s] = [hour, minute, second].map((part = '0') => Number(part)) as [number, number, number]
  const time = new Date(0)
  time.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  const isDate = time.getUTCMonth() === Number(month) - 1 && time.getUTCDate() === Number(day)
  if (!isDate || h > 23 || m > 59 || s > 59) return null
  time.setUTCHours(h, m, s, Number(fraction.slice(0, MS_DIGITS).padEnd(MS_DIGITS, '0')))
  const offsetMs = offsetOf(match)
  if (offsetMs === null) return null
  const utc = new Date(time.getTime() - offsetMs)
  if (!(utc.getTime() >= FIRST && utc.getTime() <= LAST)) return null
  if (/[1-9]/.test(fraction.slice(MS_DIGITS))) findings.note('shortened')
  return utc
}

function offsetOf(match: RegExpExecArray): number | null {
  const [hours, minutes, seconds] = match.slice(10, 13).map((part = '0') => Number(part)) as [number, number, number]
  if (hours > 23 || minutes > 59 || seconds > 59) return null
  return (match[9] === '-' ? -1 : 1) * ((hours * 60 + minutes) * 60 + seconds) * 1_000
}
