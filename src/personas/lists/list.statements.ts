import type { Rows, SqlValue } from '../../database/database.js'
import { COLUMNS, NEXT_COLUMN } from '../reads/persona.statements.js'
import { rangesOf, type TermRange } from '../search-terms.js'
import { type ColumnKind, isTimeColumn, type ListDialect } from './list-dialect.js'
import { type ColumnFilter, type FilterParts, oneOf, partsOf, SqlValues } from './list-filters.js'
import { columnOf, type ListRequest, type Position, type SortColumn } from './list-request.js'

export interface Statement {
  readonly sql: string
  readonly values: readonly SqlValue[]
}

/** Runs a statement, and answers its rows. */
export type Run = (statement: Statement) => Promise<Rows>

/** A range of the walked index. */
interface Stretch {
  readonly order: string
  readonly bounds: (sql: SqlValues) => string[]
}

/** The column of a row beyond those of the persona: the raw value that the list is sorted by. */
export const KEY_COLUMN = NEXT_COLUMN

/**
 * The statements that a list is made of, each served by one index: whatever else is compared stands aside, where no
 * planner can take it for a better way. docs/lists.md has the table.
 */
export class ListStatements {
  readonly #parts: FilterParts
  readonly #terms: readonly TermRange[]
  readonly #column: SortColumn
  readonly #isDescending: boolean
  /** What the walked index begins with. */
  readonly #head: ColumnFilter | null
  /** What is compared of each row along the way. */
  readonly #aside: readonly ColumnFilter[]
  /** Where in the walked index the list begins and ends. */
  readonly #bounds: readonly ColumnFilter[]

  constructor(
    private readonly dialect: ListDialect,
    request: ListRequest,
  ) {
    this.#parts = partsOf(request.filters, dialect)
    this.#terms = rangesOf(request.filters)
    this.#column = columnOf(request.sort)
    this.#isDescending = request.sort.startsWith('-') !== request.isBackwards
    const { values, ranges, others, active } = this.#parts
    const single = values.find((filter) => filter.values.length === 1) ?? active
    this.#head = this.#column === 'created_at' ? single : null
    const all = [...values, ...others, ...(active ? [active] : [])]
    this.#bounds = ranges.filter(({ column }) => column === this.#column)
    this.#aside = [...all.filter((filter) => filter !== this.#head), ...ranges.filter((r) => r.column !== this.#column)]
  }

  /** Whether rows are passed over along the way: then it must be said how far to go. */
  get isSelective(): boolean {
    return this.#aside.length > 0 || this.#terms.length > 0
  }

  /**
   * What finds few personas, perhaps: each answers the ids of all that have one thing in common which the list asks for,
   * in one statement or several. What the walk begins with is not among them: it passes nothing else anyway.
   */
  probes(limit: number): Statement[][] {
    const terms = this.#terms.map((range) => [this.#termProbe(range, limit)])
    const values = this.#parts.values
      .filter((filter) => filter !== this.#head)
      .map((filter) =>
        filter.values.map((value) => this.#probe([oneOf(filter, value)], 'created_at DESC, id DESC', limit)),
      )
    const ranges = this.#parts.ranges.filter(({ column }) => column !== this.#column)
    const [column] = ranges.map((range) => range.column)
    return [...terms, ...values, ...(column ? [[this.#probe(ranges, `${column}, id`, limit)]] : [])]
  }

  /** The ids of personas whose terms may not be what the index has. */
  unindexed(limit: number): Statement {
    return { sql: `SELECT persona_id FROM personas_unindexed ORDER BY persona_id LIMIT ${limit}`, values: [] }
  }

  /** Where the walk is after so many rows: key and id; no row when the list ends before. */
  milestone(after: Position | null, rows: number): Statement {
    const columns = `${this.dialect.rawKey(this.#column)}, id`
    return this.#along(columns, this.#stretches(after, null), () => [], { skip: rows - 1, limit: 1 })
  }

  /** Rows of the walk, in its order, after one position and not beyond the other. */
  walk(after: Position | null, upTo: Position | null, limit: number): Statement {
    const columns = `${COLUMNS}, ${this.dialect.rawKey(this.#column)}`
    const tests = (sql: SqlValues) => [...this.#asideTests(sql), ...this.#termTests(sql, this.#terms)]
    return this.#along(columns, this.#stretches(after, upTo), tests, { skip: 0, limit })
  }

  /** Those of these personas that have each of these terms, by their numbers, or may have them. */
  havingTerms(ids: readonly string[], terms: readonly number[]): Statement {
    const sql = new SqlValues(this.dialect)
    const ranges = this.#terms.filter((_term, index) => terms.includes(index))
    const tests = [this.#isOneOf(sql, ids), ...this.#termTests(sql, ranges)]
    return { sql: `SELECT id FROM personas p ${whereOf(tests)}`, values: sql.values }
  }

  /** The places of these personas in the list, in its order, after a position: key and id. */
  places(ids: readonly string[], after: Position | null): Statement {
    const sql = new SqlValues(this.dialect)
    const key = this.dialect.aside(this.#column, this.#kind)
    const tests = [...this.#testsOfPick(sql, ids), ...(after ? [this.#beyond(sql, key, after)] : [])]
    const text = `SELECT ${this.dialect.rawKey(this.#column)}, id FROM personas p ${whereOf(tests)}
      ORDER BY ${this.#order(key)}`
    return { sql: text, values: sql.values }
  }

  /** Those of these personas that the list has, in any order. */
  pick(ids: readonly string[]): Statement {
    const sql = new SqlValues(this.dialect)
    return { sql: `SELECT ${COLUMNS} FROM personas p ${whereOf(this.#testsOfPick(sql, ids))}`, values: sql.values }
  }

  /** How many rows of the walk the list has, after one position and not beyond the other. */
  countBetween(after: Position | null, upTo: Position | null): Statement {
    const sql = new SqlValues(this.dialect)
    return this.#count(sql, [...this.#servedTests(sql), ...this.#between(sql, after, upTo), ...this.#asideTests(sql)])
  }

  /** How many of these personas the list has, but for what is asked of their words and themes. */
  countOf(ids: readonly string[]): Statement {
    const sql = new SqlValues(this.dialect)
    return this.#count(sql, this.#testsOfPick(sql, ids))
  }

  get #kind(): ColumnKind {
    if (isTimeColumn(this.#column)) return 'time'
    return this.#column === 'name' ? 'text' : 'integer'
  }

  /** Rows of the walk, stretch by stretch. */
  #along(
    columns: string,
    stretches: readonly Stretch[],
    tests: (sql: SqlValues) => string[],
    { skip, limit }: { readonly skip: number; readonly limit: number },
  ): Statement {
    const sql = new SqlValues(this.dialect)
    const select = ({ order, bounds }: Stretch) =>
      `SELECT ${columns} FROM personas p ${whereOf([...this.#servedTests(sql), ...bounds(sql), ...tests(sql)])}
      ORDER BY ${order}`
    const [only, ...others] = stretches.map(select)
    const end = `LIMIT ${limit} OFFSET ${skip}`
    if (others.length === 0) return { sql: `${only} ${end}`, values: sql.values }
    const parts = [only, ...others].map((part) => `SELECT * FROM (${part} LIMIT ${skip + limit})`)
    return { sql: `${parts.join(' UNION ALL ')} ${end}`, values: sql.values }
  }

  /** Where the walk goes between two positions: one range of its index, or several, one after the other. */
  #stretches(after: Position | null, upTo: Position | null): Stretch[] {
    const order = this.#order(this.#column)
    if ((!after && !upTo) || this.dialect.findsRows(this.#column)) {
      return [{ order, bounds: (sql) => this.#between(sql, after, upTo) }]
    }
    const [beyond, notBeyond] = this.#isDescending ? ['<', '>='] : ['>', '<=']
    const key = this.dialect.ordered(this.#column, this.#column)
    const isKey = (sql: SqlValues, operator: string, position: Position | null) =>
      position ? [`${key} ${operator} ${this.#boundKey(sql, position)}`] : []
    const isId = (sql: SqlValues, operator: string, { id }: Position) => [`id ${operator} ${sql.bind(id, 'text')}`]
    // Those who share a key stand in the order of their ids.
    const shared = (low: Position | null, high: Position | null): Stretch => ({
      order: `id ${this.#isDescending ? 'DESC' : 'ASC'}`,
      bounds: (sql) => [
        ...isKey(sql, '=', low ?? high),
        ...(low ? isId(sql, this.#operatorFrom(low), low) : []),
        ...(high ? isId(sql, notBeyond, high) : []),
      ],
    })
    if (after && upTo && after.key === upTo.key) return [shared(after, upTo)]
    const others = (sql: SqlValues) => [...isKey(sql, beyond, after), ...isKey(sql, notBeyond.slice(0, 1), upTo)]
    return [...(after ? [shared(after, null)] : []), { order, bounds: others }, ...(upTo ? [shared(null, upTo)] : [])]
  }

  /** What the walked index begins with, and where the list begins and ends in it. */
  #servedTests(sql: SqlValues): string[] {
    return [...(this.#head ? [this.#head] : []), ...this.#bounds].map((filter) => filter.test(filter.column, sql))
  }

  #between(sql: SqlValues, after: Position | null, upTo: Position | null): string[] {
    return [
      ...(after ? [this.#beyond(sql, this.#column, after)] : []),
      ...(upTo ? [this.#compared(sql, this.#column, this.#isDescending ? '>=' : '<=', upTo)] : []),
    ]
  }

  #testsOfPick(sql: SqlValues, ids: readonly string[]): string[] {
    return [
      this.#isOneOf(sql, ids),
      ...[...(this.#head ? [this.#head] : []), ...this.#bounds].map((filter) => this.#asideTest(filter, sql)),
      ...this.#asideTests(sql),
    ]
  }

  #isOneOf(sql: SqlValues, ids: readonly string[]): string {
    return this.dialect.isOneOf('id', sql.bind(this.dialect.listOf(ids), 'text'))
  }

  #count(sql: SqlValues, tests: readonly string[]): Statement {
    return { sql: `SELECT count(*) FROM personas p ${whereOf(tests)}`, values: sql.values }
  }

  #beyond(sql: SqlValues, key: string, position: Position): string {
    return this.#compared(sql, key, this.#operatorFrom(position), position)
  }

  #operatorFrom({ isIncluded = false }: Position): string {
    return `${this.#isDescending ? '<' : '>'}${isIncluded ? '=' : ''}`
  }

  #compared(sql: SqlValues, key: string, operator: string, position: Position): string {
    const ordered = this.dialect.ordered(key, this.#column)
    return `(${ordered}, id) ${operator} (${this.#boundKey(sql, position)}, ${sql.bind(position.id, 'text')})`
  }

  #boundKey(sql: SqlValues, { key }: Position): string {
    const raw = this.dialect.rawOf(this.#column, key)
    if (raw === undefined) throw new Error('a position of another column')
    return sql.bind(raw, this.#kind)
  }

  #order(key: string): string {
    const direction = this.#isDescending ? 'DESC' : 'ASC'
    return `${this.dialect.ordered(key, this.#column)} ${direction}, id ${direction}`
  }

  #asideTests(sql: SqlValues): string[] {
    return this.#aside.map((filter) => this.#asideTest(filter, sql))
  }

  #asideTest({ column, kind, test }: ColumnFilter, sql: SqlValues): string {
    return test(this.dialect.aside(column, kind), sql)
  }

  // Scalar subqueries: a planner may make a table of all that an EXISTS could find. PostgreSQL would, and the queue may
  // be as long as the table.
  #termTests(sql: SqlValues, terms: readonly TermRange[]): string[] {
    return terms.map(({ from, to }) => {
      const range = `term >= ${sql.bind(from, 'text')} AND term <= ${sql.bind(to, 'text')}`
      return `(
        (SELECT 1 FROM persona_terms WHERE persona_id = p.id AND ${range} LIMIT 1) IS NOT NULL
        OR (SELECT 1 FROM personas_unindexed WHERE persona_id = p.id LIMIT 1) IS NOT NULL)`
    })
  }

  #termProbe({ from, to }: TermRange, limit: number): Statement {
    const sql = new SqlValues(this.dialect)
    const range = `term >= ${sql.bind(from, 'text')} AND term <= ${sql.bind(to, 'text')}`
    const text = `SELECT persona_id FROM persona_terms WHERE ${range} ORDER BY term, persona_id LIMIT ${limit}`
    return { sql: text, values: sql.values }
  }

  #probe(filters: readonly ColumnFilter[], order: string, limit: number): Statement {
    const sql = new SqlValues(this.dialect)
    const tests = filters.map(({ column, test }) => test(column, sql))
    return { sql: `SELECT id FROM personas ${whereOf(tests)} ORDER BY ${order} LIMIT ${limit}`, values: sql.values }
  }
}

function whereOf(tests: readonly string[]): string {
  return tests.length > 0 ? `WHERE ${tests.join(' AND ')}` : ''
}
