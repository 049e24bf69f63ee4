import pg from 'pg'
import type { Rows, SqlValue } from '../database.js'
import type { RolePool } from './role-pool.js'

const NUMBER_OF_TIMESTAMP: number = pg.types.builtins.TIMESTAMP

/** The driver would read a time without a zone as one of this machine's zone. */
const TYPES: pg.CustomTypesConfig = {
  getTypeParser: (id, format) => {
    const type: number = id
    return type === NUMBER_OF_TIMESTAMP ? (text: string) => text : (pg.types.getTypeParser(id, format) as unknown)
  },
}

/** A migration has changed a column's type ("cached plan must not change result type"), or somebody has said DISCARD ALL. */
const NO_LONGER_PREPARED: ReadonlySet<unknown> = new Set(['0A000', '26000'])

/** Each stays prepared for as long as a connection lives: an update is another statement for each choice of fields. */
const MOST_NAMES = 100

/** Statements that the server keeps prepared for each connection. */
export class PreparedStatements {
  readonly #names = new Map<string, string>()

  constructor(private readonly pool: RolePool) {}

  /** @param sql one of a few: those beyond a hundred are not kept */
  async rows(sql: string, values: readonly SqlValue[]): Promise<Rows> {
    const name = this.#nameOf(sql)
    // A pooler in transaction mode may send the next statement to a session that does not have it.
    if (this.pool.isPooled || name === undefined) return this.rowsOnce(sql, values)
    try {
      return await this.#rows(sql, values, name)
    } catch (error) {
      // The server has refused the name, and run nothing.
      if (!NO_LONGER_PREPARED.has((error as { code?: unknown }).code)) throw error
      return this.rowsOnce(sql, values)
    }
  }

  /** Runs a statement that is not kept. */
  rowsOnce(sql: string, values: readonly SqlValue[]): Promise<Rows> {
    return this.#rows(sql, values)
  }

  async #rows(text: string, values: readonly SqlValue[], name?: string): Promise<Rows> {
    const query = { text, values: [...values], rowMode: 'array' as const, types: TYPES }
    return (await this.pool.query<unknown[]>({ ...query, ...(name !== undefined && { name }) })).rows
  }

  #nameOf(sql: string): string | undefined {
    const known = this.#names.get(sql)
    if (known !== undefined || this.#names.size === MOST_NAMES) return known
    const name = `gator_${this.pool.role}_${this.#names.size}`
    this.#names.set(sql, name)
    return name
  }
}
