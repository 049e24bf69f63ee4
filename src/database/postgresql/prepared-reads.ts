import pg from 'pg'
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

type Values = readonly (string | number)[]
type Rows = readonly (readonly unknown[])[]

/** Reads by statements that the server keeps prepared for each connection. */
export class PreparedReads {
  readonly #names = new Map<string, string>()

  constructor(private readonly readers: RolePool) {}

  /** @param sql one of a few: each stays prepared for as long as a connection lives */
  async rows(sql: string, values: Values): Promise<Rows> {
    // A pooler in transaction mode may send the next statement to a session that does not have it.
    if (this.readers.isPooled) return this.rowsOnce(sql, values)
    try {
      return await this.#rows(sql, values, this.#nameOf(sql))
    } catch (error) {
      if (!NO_LONGER_PREPARED.has((error as { code?: unknown }).code)) throw error
      return this.rowsOnce(sql, values)
    }
  }

  /** Runs a statement that is not kept. */
  rowsOnce(sql: string, values: Values): Promise<Rows> {
    return this.#rows(sql, values)
  }

  async #rows(text: string, values: Values, name?: string): Promise<Rows> {
    const query = { text, values: [...values], rowMode: 'array' as const, types: TYPES }
    return (await this.readers.query<unknown[]>({ ...query, ...(name !== undefined && { name }) })).rows
  }

  #nameOf(sql: string): string {
    const known = this.#names.get(sql)
    if (known !== undefined) return known
    const name = `gator_read_${this.#names.size}`
    this.#names.set(sql, name)
    return name
  }
}
