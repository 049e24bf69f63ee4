import type { ArgType } from '@prisma/driver-adapter-utils'
import type { DatabaseSettings } from '../config/settings.js'
import { SqliteEngine } from '../database/sqlite/engine.js'
import { differenceOf, type QueuedRow, queuedSql, type TermStore } from './term-store.js'

const QUEUED = queuedSql('?')
const KNOWN = `
  SELECT persona_id, json_group_array(term) FROM persona_terms
  WHERE persona_id IN (SELECT value FROM json_each(?)) GROUP BY persona_id`
const PAIRS = 'SELECT value ->> 0, value ->> 1 FROM json_each(?)'
const FORGET = `DELETE FROM persona_terms WHERE (persona_id, term) IN (${PAIRS})`
const LEARN = `INSERT INTO persona_terms (persona_id, term) ${PAIRS}`
const DONE = 'DELETE FROM personas_unindexed WHERE seq IN (SELECT CAST(value AS INTEGER) FROM json_each(?))'

const argType = (scalarType: ArgType['scalarType']): ArgType => ({ scalarType, arity: 'scalar' })
const text = (sql: string, ...args: string[]) => ({ sql, args, argTypes: args.map(() => argType('string')) })

export class SqliteTermStore implements TermStore {
  private constructor(private readonly engine: SqliteEngine) {}

  static async open(settings: DatabaseSettings, file: string): Promise<SqliteTermStore> {
    const { busyTimeoutMs, synchronous, checkpoints } = settings
    const external = checkpoints.isExternal ? { autocheckpointPages: 0 } : {}
    return new SqliteTermStore(await SqliteEngine.open({ file, busyTimeoutMs, synchronous, ...external }))
  }

  async index(limit: number): Promise<number> {
    const queued = { sql: QUEUED, args: [limit], argTypes: [argType('int')] }
    // Without the write lock as long as there is nothing to do.
    if ((await this.engine.query({ ...queued, args: [1] })).rows.length === 0) return 0
    const transaction = await this.engine.begin()
    try {
      const rows = transaction.query(queued).rows as unknown as QueuedRow[]
      const known = transaction.query(text(KNOWN, JSON.stringify(rows.map(([, id]) => id)))).rows as [string, string][]
      const { gone, added } = differenceOf(
        rows,
        new Map(known.map(([id, terms]) => [id, JSON.parse(terms) as string[]])),
      )
      transaction.execute(text(FORGET, JSON.stringify(gone)))
      transaction.execute(text(LEARN, JSON.stringify(added)))
      transaction.execute(text(DONE, JSON.stringify(rows.map(([seq]) => seq))))
      await transaction.commit()
      return rows.length
    } finally {
      transaction.rollback()
    }
  }

  close(): Promise<void> {
    return this.engine.close()
  }
}
