import { isIP } from 'node:net'
import { availableParallelism } from 'node:os'
import * as z from 'zod'
import { type DatabaseTarget, KNOWN_DATABASE_URLS, parseDatabaseUrl } from './database-url.js'

/** One environment variable: how it is read, its default as a person would write it, its bounds, and why it exists. */
export interface SettingDefinition {
  readonly schema: z.ZodType
  readonly defaultText: string
  readonly values: string
  readonly description: string
}

// How the texts of settings are read: each says in a few words what a value must be.

const MAX_WORKERS = 64

export const wholeNumber = (min: number, max: number) => {
  const fault = `must be a whole number from ${min} to ${max}`
  return z.string().regex(/^\d+$/, fault).transform(Number).pipe(z.number().min(min, fault).max(max, fault))
}
export const flag = z.enum(['true', 'false'], 'must be true or false').transform((value) => value === 'true')
export const oneOf = <const T extends string>(...values: [T, ...T[]]) =>
  z.enum(values, `must be one of ${values.join(', ')}`)

export const workers = z
  .string()
  .transform((value) => (value === 'auto' ? String(Math.min(availableParallelism(), MAX_WORKERS)) : value))
  .pipe(wholeNumber(1, MAX_WORKERS))

export const databaseUrl = z.string().transform((value, context): DatabaseTarget => {
  const target = parseDatabaseUrl(value)
  const fault = target ? postgresqlFault(target) : `must be ${KNOWN_DATABASE_URLS}`
  if (target && fault === undefined) return target
  context.addIssue({ code: 'custom', message: fault ?? '' })
  return z.NEVER
})

// What libpq calls prefer and allow is to go on without encryption when there is none; the driver cannot.
const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full']

function postgresqlFault(target: DatabaseTarget): string | undefined {
  if (target.provider !== 'postgresql') return undefined
  const parameters = new URL(target.url).searchParams
  if (parameters.has('schema')) return 'must not name a schema: the tables are in the default one'
  const mode = parameters.get('sslmode')
  if (mode !== null && !SSL_MODES.includes(mode)) return `must have an sslmode of ${SSL_MODES.join(', ')}`
  return mode === 'verify-ca' && !parameters.has('sslrootcert') ? 'must name the CA (sslrootcert) to verify' : undefined
}

export const directUrl = databaseUrl.transform((target, context): string => {
  if (target.provider === 'postgresql') return target.url
  context.addIssue({ code: 'custom', message: 'must be a postgresql:// URL' })
  return z.NEVER
})

export const origins = z.string().transform((value, context): string[] => {
  const list = value.split(',').map((origin) => origin.trim())
  const isOrigin = (origin: string) => origin === '*' || (URL.canParse(origin) && new URL(origin).origin === origin)
  if (list.every(isOrigin)) return list
  context.addIssue({ code: 'custom', message: 'must be origins like https://app.example, separated by commas, or *' })
  return z.NEVER
})

const listOf = (isGood: (item: string) => boolean, fault: string) =>
  z
    .string()
    .transform((value) => value.split(',').map((item) => item.trim()))
    .refine((items) => items.every(isGood), fault)

/** Host names and addresses, in the form that a Host header has them without its port. */
export const hostNames = listOf(
  (name) => name === '*' || /^[\w.-]+$/.test(name) || (/^\[.*\]$/.test(name) && isIP(name.slice(1, -1)) === 6),
  'must be host names, separated by commas (an IPv6 address in brackets), or *',
).transform((names) => names.map((name) => name.toLowerCase()))

/** Addresses and networks. */
export const proxies = listOf(isNetwork, 'must be addresses or networks like 10.0.0.0/8, separated by commas')

const MOST_BITS: Readonly<Record<number, number>> = { 4: 32, 6: 128 }

function isNetwork(text: string): boolean {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const most = MOST_BITS[isIP(address)]
  return most !== undefined && (bits === undefined || (Number(bits) >= 1 && Number(bits) <= most))
}
