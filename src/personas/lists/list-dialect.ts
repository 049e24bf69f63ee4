import type { DirectReads } from '../../database/database.js'
import { readTime } from '../persona.row.js'
import type { Position, SortColumn } from './list-request.js'

export type ColumnKind = 'text' | 'boolean' | 'time' | 'integer'

/** Where the SQL of lists differs between the databases. */
export interface ListDialect {
  placeholder(position: number): string
  /** A placeholder, as the kind of value that it stands for. */
  typed(placeholder: string, kind: ColumnKind): string
  /** An expression of a column's value that no index serves: for what is compared along the way of another index. */
  aside(column: string, kind: ColumnKind): string
  /** An expression of a sort column, compared as both databases do. */
  ordered(expression: string, column: SortColumn): string
  /** Whether an index finds a place in the column's order by key and id at once, as a row of both. */
  findsRows(column: SortColumn): boolean
  /** The value of a sort column as it is stored. */
  rawKey(column: SortColumn): string
  /** Whether a column's text has another in it. */
  contains(column: string, placeholder: string): string
  /** Whether a column is one of the texts in a parameter made by {@link ListDialect.listOf}. */
  isOneOf(expression: string, placeholder: string): string
  listOf(texts: readonly string[]): string
  boolean(value: boolean): string
  time(value: Date): string
  /** The key of a position, of a raw value of the column. */
  keyOf(column: SortColumn, raw: unknown): Position['key']
  /** The raw value of a position's key; undefined for what is none of this column. */
  rawOf(column: SortColumn, key: Position['key']): string | number | undefined
}

/**
 * So many characters of a name are compared: all that the service takes. Whoever writes past it may write more, and an index
 * of PostgreSQL holds no row beyond 2,704 bytes. The indexes are of this expression; Prisma's schema cannot say so.
 */
const NAME_KEY_LENGTH = 100

/** Before a time that somebody has written past the service in another form, and that is compared as it stands. */
const AS_STORED = '='

/** As Date.toISOString writes it, of the years that both databases have. */
const CANONICAL_TIME = /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

export function isTimeColumn(column: SortColumn): boolean {
  return column === 'created_at' || column === 'updated_at'
}

export const SQLITE: ListDialect = {
  placeholder: () => '?',
  typed: (placeholder) => placeholder,
  // SQLite's own way of saying so (https://www.sqlite.org/optoverview.html, section 4).
  aside: (column) => `+${column}`,
  ordered: (expression, column) => (column === 'name' ? `substr(${expression}, 1, ${NAME_KEY_LENGTH})` : expression),
  // Of an expression, such as the one of names, SQLite's planner does not see it (https://www.sqlite.org/rowvalue.html).
  findsRows: (column) => column !== 'name',
  // An expression has no declared type: the value comes as it is stored, be it text or a number.
  rawKey: (column) => `+${SQLITE.ordered(column, column)}`,
  contains: (column, placeholder) => `instr(${column}, ${placeholder}) > 0`,
  isOneOf: (expression, placeholder) => `${expression} IN (SELECT value FROM json_each(${placeholder}))`,
  listOf: (texts) => JSON.stringify(texts),
  boolean: (value) => (value ? '1' : '0'),
  time: toSqliteTime,
  keyOf: (column, raw) => {
    if (!isTimeColumn(column) || typeof raw !== 'string') return raw as Position['key']
    const time = readTime(raw)
    const isOurs = !Number.isNaN(time.getTime()) && toSqliteTime(time) === raw
    return isOurs ? time.toISOString() : AS_STORED + raw
  },
  rawOf: (column, key) => {
    if (column === 'generation_count') return typeof key === 'number' ? key : undefined
    if (!isTimeColumn(column)) return typeof key === 'string' ? key : undefined
    if (typeof key !== 'string') return key
    if (key.startsWith(AS_STORED)) return key.slice(AS_STORED.length)
    return isCanonical(key) ? toSqliteTime(new Date(key)) : undefined
  },
}

// What a planner does not see through, and of truth values what it can guess the number of.
const ASIDE: Readonly<Record<ColumnKind, (column: string) => string>> = {
  text: (column) => `(${column} || '')`,
  boolean: (column) => `(${column} IS NOT FALSE)`,
  time: (column) => `(${column} + interval '0')`,
  integer: (column) => `(${column} + 0)`,
}

const TYPES: Readonly<Record<ColumnKind, string>> = {
  text: 'text',
  boolean: 'boolean',
  time: 'timestamp(3)',
  integer: 'integer',
}

export const POSTGRESQL: ListDialect = {
  placeholder: (position) => `$${position}`,
  typed: (placeholder, kind) => `${placeholder}::${TYPES[kind]}`,
  aside: (column, kind) => ASIDE[kind](column),
  ordered: (expression, column) =>
    column === 'name' ? `left(${expression}, ${NAME_KEY_LENGTH}) COLLATE "C"` : expression,
  findsRows: () => true,
  rawKey: (column) => POSTGRESQL.ordered(column, column),
  contains: (column, placeholder) => `strpos(${column}, ${placeholder}) > 0`,
  isOneOf: (expression, placeholder) => `${expression} = ANY (${placeholder}::text[])`,
  listOf: (texts) => `{${texts.map((text) => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`).join(',')}}`,
  boolean: (value) => String(value),
  time: (value) => value.toISOString().replace('Z', ''),
  keyOf: (column, raw) => (isTimeColumn(column) ? readTime(raw).toISOString() : (raw as Position['key'])),
  rawOf: (column, key) => {
    if (column === 'generation_count') return typeof key === 'number' && isInteger32(key) ? key : undefined
    if (typeof key !== 'string') return undefined
    if (!isTimeColumn(column)) return key
    return isCanonical(key) ? key.replace('Z', '') : undefined
  },
}

export const DIALECTS: Readonly<Record<DirectReads['kind'], ListDialect>> = { local: SQLITE, remote: POSTGRESQL }

function isCanonical(text: string): boolean {
  return CANONICAL_TIME.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString() === text
}

function isInteger32(value: number): boolean {
  return Math.abs(value) <= 2_147_483_647
}

/** As the service stores times. */
function toSqliteTime(time: Date): string {
  return time.toISOString().replace('Z', '+00:00')
}
