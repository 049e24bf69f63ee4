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

type Values = readonly (string | number)[]
type Rows = readonly (readonly unknown[])[]

/** Reads by statements that the server keeps prepared for each connection. */
export class PreparedReads {
  readonly #names = new Map<string, string>()

  constructor(private readonly readers: RolePool) {}

  /** @param sql one of a few: each stays prepared for as long as a connection lives */
  rows(sql: string, values: Values): Promise<Rows> {
    // A pooler in transaction mode may send the next statement to a session that does not have it.
    return this.#rows(sql, values, this.readers.isPooled ? undefined : this.#nameOf(sql))
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
