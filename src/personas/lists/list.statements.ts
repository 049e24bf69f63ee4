import { COLUMNS, countStatement } from '../reads/persona.statements.js'
import { rangesOf, type TermRange } from '../search-terms.js'
import { type ColumnKind, isTimeColumn, type ListDialect } from './list-dialect.js'
import { type ColumnFilter, type FilterParts, oneOf, partsOf, SqlValues } from './list-filters.js'
import { columnOf, type ListRequest, type Position, type SortColumn } from './list-request.js'

export interface Statement {
  readonly sql: string
  readonly values: readonly (string | number)[]
}

/** The column of a row beyond those of the persona: the raw value that the list is sorted by. */
export const KEY_COLUMN = 18

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
    const sql = new SqlValues(this.dialect)
    const column = this.#column
    const tests = this.#testsOfWalk(sql, after, null)
    const text = `SELECT ${this.dialect.rawKey(column)}, id FROM personas p ${whereOf(tests)}
      ORDER BY ${this.#order(column)} LIMIT 1 OFFSET ${rows - 1}`
    return { sql: text, values: sql.values }
  }

  /** Rows of the walk, in its order, after one position and not beyond the other. */
  walk(after: Position | null, upTo: Position | null, limit: number): Statement {
    const sql = new SqlValues(this.dialect)
    const tests = [...this.#testsOfWalk(sql, after, upTo), ...this.#asideTests(sql), ...this.#termTests(sql)]
    return this.#page(sql, tests, this.#column, limit)
  }

  /** Rows of these personas, in the order of the list, after a position. */
  pick(ids: readonly string[], after: Position | null, limit: number): Statement {
    const sql = new SqlValues(this.dialect)
    const { dialect } = this
    const key = dialect.aside(this.#column, this.#kind)
    const tests = [
      dialect.isOneOf('id', sql.bind(dialect.listOf(ids), 'text')),
      ...[...(this.#head ? [this.#head] : []), ...this.#bounds].map((filter) => this.#asideTest(filter, sql)),
      ...this.#asideTests(sql),
      ...(after ? [this.#beyond(sql, key, after)] : []),
    ]
    return this.#page(sql, tests, key, limit)
  }

  /** How many personas the list has, but for what is asked of their words and themes. */
  count(): Statement {
    const sql = new SqlValues(this.dialect)
    const { values, ranges, others, active } = this.#parts
    const filters = [...values, ...ranges, ...others]
    if (filters.length === 0) return { sql: countStatement(active !== null), values: [] }
    const tests = [...filters, ...(active ? [active] : [])].map(({ column, test }) => test(column, sql))
    return { sql: `SELECT count(*) FROM personas ${whereOf(tests)}`, values: sql.values }
  }

  get #kind(): ColumnKind {
    if (isTimeColumn(this.#column)) return 'time'
    return this.#column === 'name' ? 'text' : 'integer'
  }

  #page(sql: SqlValues, tests: readonly string[], key: string, limit: number): Statement {
    const text = `SELECT ${COLUMNS}, ${this.dialect.rawKey(this.#column)} FROM personas p ${whereOf(tests)}
      ORDER BY ${this.#order(key)} LIMIT ${limit}`
    return { sql: text, values: sql.values }
  }

  #testsOfWalk(sql: SqlValues, after: Position | null, upTo: Position | null): string[] {
    const column = this.#column
    const served = [...(this.#head ? [this.#head] : []), ...this.#bounds]
    return [
      ...served.map((filter) => filter.test(filter.column, sql)),
      ...(after ? [this.#beyond(sql, column, after)] : []),
      ...(upTo ? [this.#compared(sql, column, this.#isDescending ? '>=' : '<=', upTo)] : []),
    ]
  }

  #beyond(sql: SqlValues, key: string, position: Position): string {
    return this.#compared(sql, key, this.#isDescending ? '<' : '>', position)
  }

  #compared(sql: SqlValues, key: string, operator: string, { key: value, id }: Position): string {
    const raw = this.dialect.rawOf(this.#column, value)
    if (raw === undefined) throw new Error('a position of another column')
    const ordered = this.dialect.ordered(key, this.#column)
    return `(${ordered}, id) ${operator} (${sql.bind(raw, this.#kind)}, ${sql.bind(id, 'text')})`
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
  #termTests(sql: SqlValues): string[] {
    return this.#terms.map(({ from, to }) => {
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
