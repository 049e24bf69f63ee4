import type { ColumnKind, ListDialect } from './lists/list-dialect.js'
import { SqlValues } from './lists/list-filters.js'
import type { Statement } from './lists/list.statements.js'
import { MAX_GENERATION_COUNT, type PersonaChanges, type PersonaFields } from './persona.js'
import { WIRE_NAMES } from './persona.mapper.js'
import type { UpdateGuard } from './persona.repository.js'
import { toColumns } from './persona.row.js'
import { COLUMNS } from './reads/persona.statements.js'

/** What every write leaves in the row beside what it changes. */
export interface WriteStamp {
  readonly now: Date
  /** See writeContextOf. */
  readonly context: string
}

/**
 * What the repository's updates ask through Prisma, in SQL; values are bound in the order in which they stand in it. Each
 * answers the columns of `personaOf` if it changed the persona, and no row otherwise.
 */
export class UpdateStatements {
  constructor(private readonly dialect: ListDialect) {}

  update(id: string, changes: PersonaChanges, guard: UpdateGuard, { now, context }: WriteStamp): Statement {
    const sql = new SqlValues(this.dialect)
    const changed = Object.entries(toColumns(changes))
      // Prisma leaves out what is undefined, too.
      .filter(([, value]) => value !== undefined)
      .map(([field, value]) => `${WIRE_NAMES[field as keyof PersonaFields]} = ${this.#value(value, sql)}`)
    const time = sql.bind(this.dialect.time(now), 'time')
    const stamped = `version = version + 1, updated_at = ${time}, write_context = ${sql.bind(context, 'text')}`
    return this.#statement([...changed, stamped], sql, [`id = ${sql.bind(id, 'text')}`, ...this.#holds(guard, sql)])
  }

  addGenerations(id: string, count: number, { context }: Pick<WriteStamp, 'context'>): Statement {
    const sql = new SqlValues(this.dialect)
    const counted = `generation_count = generation_count + ${sql.bind(count, 'integer')}`
    const changed = [counted, `write_context = ${sql.bind(context, 'text')}`]
    const which = `id = ${sql.bind(id, 'text')}`
    const isRoom = `generation_count <= ${sql.bind(MAX_GENERATION_COUNT - count, 'integer')}`
    return this.#statement(changed, sql, [which, isRoom])
  }

  #statement(changes: readonly string[], { values }: SqlValues, conditions: readonly string[]): Statement {
    const sql = `UPDATE personas SET ${changes.join(', ')} WHERE ${conditions.join(' AND ')} RETURNING ${COLUMNS}`
    return { sql, values }
  }

  #value(value: string | boolean | null, sql: SqlValues): string {
    const isFlag = typeof value === 'boolean'
    return sql.bind(isFlag ? this.dialect.boolean(value) : value, isFlag ? 'boolean' : 'text')
  }

  #holds({ versions, isActive, defaultRatingIn, allowedRatingsInclude }: UpdateGuard, sql: SqlValues): string[] {
    const isOneOf = (column: string, values: readonly (string | number)[], kind: ColumnKind) => {
      const bound = values.map((value) => sql.bind(value, kind))
      return bound.length === 0 ? 'false' : `${column} IN (${bound.join(', ')})`
    }
    // The ratings are stored as JSON text, each in quotes, so the quoted word occurs if and only if it is an item.
    const includes = (rating: string) =>
      this.dialect.contains('allowed_content_ratings', sql.bind(JSON.stringify(rating), 'text'))
    return [
      ...(versions ? [isOneOf('version', versions, 'integer')] : []),
      ...(isActive ? [`is_active = ${this.dialect.boolean(true)}`] : []),
      ...(defaultRatingIn ? [isOneOf('default_content_rating', defaultRatingIn, 'text')] : []),
      ...(allowedRatingsInclude ? [includes(allowedRatingsInclude)] : []),
    ]
  }
}
