import { Transform } from 'class-transformer'
import type { Fault, Rule } from '../../validation/rule.js'

const TRUE = new Set(['true', '1', 'yes', 'on', 't', 'y'])
const FALSE = new Set(['false', '0', 'no', 'off', 'f', 'n'])

/** RFC 3339, section 5.6, with the fraction that JavaScript's times have. A plus sign arrives as a space when it was not escaped. */
const TIME = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d(?:\.\d{1,9})?)(?:(Z)|([ +-])(\d\d:\d\d))$/i

const fault = (detail: string): readonly Fault[] => [{ pointer: '', detail }]

export const WholeNumber = () =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^[+-]?\d{1,15}$/.test(value) ? Number(value) : value,
  )

export function wholeNumber(min: number, max: number): Rule {
  const detail = `must be a whole number from ${min} to ${max}`
  return (value) => (typeof value === 'number' && value >= min && value <= max ? [] : fault(detail))
}

// The spellings that the service which this one replaces took.
export const Flag = () =>
  Transform(({ value }: { value: unknown }) => {
    const word = typeof value === 'string' ? value.toLowerCase() : ''
    if (TRUE.has(word)) return true
    return FALSE.has(word) ? false : value
  })

export const isFlag: Rule = (value) => (typeof value === 'boolean' ? [] : fault('must be true or false'))

export const Time = () => Transform(({ value }: { value: unknown }) => parseTime(value) ?? value)

export const isTime: Rule = (value) =>
  value instanceof Date ? [] : fault('must be a time such as 2026-11-23T05:06:07.089Z')

export const isText: Rule = (value) => {
  if (typeof value !== 'string') return fault('must be given once')
  return value.includes('\0') ? fault('must not contain NUL characters') : []
}

export function oneOf(values: readonly string[]): Rule {
  return (value) =>
    typeof value === 'string' && values.includes(value) ? [] : fault(`must be one of ${values.join(', ')}`)
}

/** The items of a parameter that has them after commas, or is repeated. */
export function itemsOf(value: unknown): string[] {
  return [value].flat().flatMap((text) => (typeof text === 'string' ? text.split(',') : []))
}

/** Every item is one of these. */
export function itemsFrom(values: readonly string[]): Rule {
  return (value) => {
    const unknown = itemsOf(value).filter((item) => !values.includes(item))
    return unknown.length === 0
      ? []
      : fault(`must be of ${values.join(', ')}, separated by commas; has "${unknown.join('", "')}"`)
  }
}

function parseTime(value: unknown): Date | undefined {
  const [, day, time, zulu, sign, offset] = (typeof value === 'string' && TIME.exec(value)) || []
  if (day === undefined || time === undefined) return undefined
  const zone = zulu ? 'Z' : `${sign === ' ' ? '+' : sign}${offset}`
  const parsed = new Date(`${day}T${time}${zone}`)
  return Number.isNaN(parsed.getTime()) ? undefined : parsed
}
