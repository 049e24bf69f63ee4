import type { SqlValue } from '../../database/database.js'
import type { ColumnKind, ListDialect } from './list-dialect.js'
import { clampedTime } from '../persona.row.js'
import type { ListFilters, SortColumn, TimeRange } from './list-request.js'

/** The values that a statement's placeholders stand for: bound in the order in which they stand in its text. */
export class SqlValues {
  readonly values: SqlValue[] = []

  constructor(private readonly dialect: ListDialect) {}

  /** Adds a value and answers its placeholder. */
  bind(value: SqlValue, kind: ColumnKind): string {
    this.values.push(value)
    return this.dialect.typed(this.dialect.placeholder(this.values.length), kind)
  }
}

/** A condition on one column. */
export interface ColumnFilter {
  readonly column: string
  readonly kind: ColumnKind
  /** Makes the condition of an expression of the column. */
  readonly test: (expression: string, sql: SqlValues) => string
}

/** The values that a persona has one of; an index has all that have a certain one, newest first. */
export interface ValueFilter extends ColumnFilter {
  readonly values: readonly string[]
}

export interface RangeFilter extends ColumnFilter {
  readonly column: SortColumn
}

/** The filters of a list, in the dialect's SQL, by what can be done with them. */
export interface FilterParts {
  /** Of those that an index in the order of created_at begins with, the one that leaves most out stands first. */
  readonly values: readonly ValueFilter[]
  readonly ranges: readonly RangeFilter[]
  /** Served by no index. */
  readonly others: readonly ColumnFilter[]
  /** Whether the persona is active; almost all of them are. */
  readonly active: ColumnFilter | null
}

export function partsOf(filters: ListFilters, dialect: ListDialect): FilterParts {
  const { appearanceLocked } = filters
  const values = [
    textFilter('base_image_status', filters.baseImageStatuses, dialect),
    textFilter('default_content_rating', filters.defaultRatings, dialect),
    appearanceLocked === undefined ? null : flagFilter('appearance_locked', appearanceLocked, dialect),
  ]
  const ranges = [
    ...rangeFilters('created_at', filters.created, dialect),
    ...rangeFilters('updated_at', filters.updated, dialect),
  ]
  return {
    values: values.filter((filter) => filter !== null),
    ranges,
    others: (filters.allowedRatings ?? []).map((rating) => ratingFilter(rating, dialect)),
    active: filters.activeOnly ? flagFilter('is_active', true, dialect) : null,
  }
}

/** One of the values of a filter, as a filter. */
export function oneOf(filter: ValueFilter, value: string): ColumnFilter {
  if (filter.kind === 'boolean') return filter
  return { ...filter, test: (expression, sql) => `${expression} = ${sql.bind(value, 'text')}` }
}

function textFilter(column: string, values: readonly string[] | undefined, dialect: ListDialect): ValueFilter | null {
  if (!values) return null
  const test = (expression: string, sql: SqlValues) => {
    const [only = ''] = values
    if (values.length === 1) return `${expression} = ${sql.bind(only, 'text')}`
    return dialect.isOneOf(expression, sql.bind(dialect.listOf(values), 'text'))
  }
  return { column, kind: 'text', values, test }
}

function flagFilter(column: string, value: boolean, dialect: ListDialect): ValueFilter {
  const test = (expression: string) => `${expression} = ${dialect.boolean(value)}`
  return { column, kind: 'boolean', values: [String(value)], test }
}

function rangeFilters(column: SortColumn, { from, to }: TimeRange, dialect: ListDialect): RangeFilter[] {
  const bound = (operator: string, time: Date): RangeFilter => ({
    column,
    kind: 'time',
    test: (expression, sql) => `${expression} ${operator} ${sql.bind(dialect.time(clampedTime(time)), 'time')}`,
  })
  return [...(from ? [bound('>=', from)] : []), ...(to ? [bound('<', to)] : [])]
}

// The ratings are stored as JSON text, each in quotes, so the quoted word occurs if and only if it is an item.
function ratingFilter(rating: string, dialect: ListDialect): ColumnFilter {
  return {
    column: 'allowed_content_ratings',
    kind: 'text',
    test: (expression, sql) => dialect.contains(expression, sql.bind(JSON.stringify(rating), 'text')),
  }
}
