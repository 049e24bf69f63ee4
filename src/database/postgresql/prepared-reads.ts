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

/** Reads by statements that the server keeps prepared for each connection. */
export class PreparedReads {
  readonly #names = new Map<string, string>()

  constructor(private readonly readers: RolePool) {}

  /** @param sql one of a few: each stays prepared for as long as a connection lives */
  async rows(sql: string, values: readonly (string | number)[]): Promise<readonly (readonly unknown[])[]> {
    const { rows } = await this.readers.query<unknown[]>({
      text: sql,
      values: [...values],
      rowMode: 'array',
      types: TYPES,
      // A pooler in transaction mode may send the next statement to a session that does not have it.
      ...(!this.readers.isPooled && { name: this.#nameOf(sql) }),
    })
    return rows
  }

  #nameOf(sql: string): string {
    const known = this.#names.get(sql)
    if (known !== undefined) return known
    const name = `gator_read_${this.#names.size}`
    this.#names.set(sql, name)
    return name
  }
}
