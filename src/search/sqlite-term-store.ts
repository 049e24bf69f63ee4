import type { ArgType } from '@prisma/driver-adapter-utils'
import type { DatabaseSettings } from '../config/settings.js'
import { SqliteEngine } from '../database/sqlite/engine.js'
import {
  type EntriesRow,
  type Outcome,
  outcomeOf,
  partOf,
  type QueuedRow,
  queuedSql,
  type Step,
  type TermStore,
  type TextsRow,
} from './term-store.js'

const QUEUED = queuedSql('?')
const ITEMS = 'SELECT value FROM json_each(?)'
const SEQS = 'SELECT CAST(value AS INTEGER) FROM json_each(?)'
const ENTRIES = `
  SELECT persona_id, count(*), count(*) FILTER (WHERE seq IN (${SEQS})) FROM personas_unindexed
  WHERE persona_id IN (${ITEMS}) GROUP BY persona_id`
const TEXTS = `SELECT id, name, appearance, personality, content_themes FROM personas WHERE id IN (${ITEMS})`
const TERMS = `
  SELECT persona_id, json_group_array(term) FROM persona_terms WHERE persona_id IN (${ITEMS}) GROUP BY persona_id`
const PAIRS = 'SELECT value ->> 0, value ->> 1 FROM json_each(?)'
const FORGET = `DELETE FROM persona_terms WHERE (persona_id, term) IN (${PAIRS})`
const LEARN = `INSERT OR IGNORE INTO persona_terms (persona_id, term) ${PAIRS}`
const DONE = `DELETE FROM personas_unindexed WHERE seq IN (${SEQS})`

type Scalar = ArgType['scalarType']
const query = (sql: string, args: readonly (string | number)[], scalarType: Scalar = 'string') => ({
  sql,
  args: [...args],
  argTypes: args.map((): ArgType => ({ scalarType, arity: 'scalar' })),
})
const lists = (sql: string, ...values: (readonly unknown[])[]) =>
  query(
    sql,
    values.map((value) => JSON.stringify(value)),
  )

export class SqliteTermStore implements TermStore {
  private constructor(private readonly engine: SqliteEngine) {}

  static async open(settings: DatabaseSettings, file: string): Promise<SqliteTermStore> {
    const { busyTimeoutMs, synchronous, checkpoints } = settings
    const external = checkpoints.isExternal ? { autocheckpointPages: 0 } : {}
    return new SqliteTermStore(await SqliteEngine.open({ file, busyTimeoutMs, synchronous, ...external }))
  }

  queued(limit: number): Promise<readonly QueuedRow[]> {
    return this.#rows(query(QUEUED, [limit], 'int'))
  }

  entries(ids: readonly string[], seqs: readonly (string | number)[]): Promise<readonly EntriesRow[]> {
    return this.#rows(lists(ENTRIES, seqs, ids))
  }

  texts(ids: readonly string[]): Promise<readonly TextsRow[]> {
    return this.#rows(lists(TEXTS, ids))
  }

  async terms(ids: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const rows = await this.#rows<readonly [string, string]>(lists(TERMS, ids))
    return new Map(rows.map(([id, terms]) => [id, JSON.parse(terms) as string[]]))
  }

  async apply(step: Step): Promise<Outcome> {
    const transaction = await this.engine.begin()
    try {
      const ids = step.looked.map(({ id }) => id)
      const seqs = step.looked.flatMap((one) => one.seqs)
      const rows = transaction.query(lists(ENTRIES, seqs, ids)).rows as unknown as EntriesRow[]
      const part = partOf(step, rows)
      transaction.execute(lists(FORGET, part.gone))
      transaction.execute(lists(LEARN, part.added))
      transaction.execute(lists(DONE, part.done))
      await transaction.commit()
      return outcomeOf(part)
    } finally {
      transaction.rollback()
    }
  }

  close(): Promise<void> {
    return this.engine.close()
  }

  async #rows<T>(statement: ReturnType<typeof query>): Promise<readonly T[]> {
    return (await this.engine.query(statement)).rows as unknown as readonly T[]
  }
}
