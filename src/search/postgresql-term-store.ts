import { Client } from 'pg'
import { clientConfigOf } from '../database/postgresql/connection-config.js'
import { differenceOf, type QueuedRow, queuedSql, type TermStore } from './term-store.js'

const QUEUED = queuedSql('$1')
/** Of one indexer alone, by the service's number (0x6761) and one for this lock. */
const TAKE_TURN = 'SELECT pg_try_advisory_xact_lock(26465, 1)'
const IS_EMPTY = 'SELECT NOT EXISTS (SELECT 1 FROM personas_unindexed)'
const KNOWN =
  'SELECT persona_id, array_agg(term) FROM persona_terms WHERE persona_id = ANY ($1::text[]) GROUP BY persona_id'
const FORGET = `
  DELETE FROM persona_terms AS known USING unnest($1::text[], $2::text[]) AS gone (persona_id, term)
  WHERE known.persona_id = gone.persona_id AND known.term = gone.term`
const LEARN = 'INSERT INTO persona_terms (persona_id, term) SELECT * FROM unnest($1::text[], $2::text[])'
const DONE = 'DELETE FROM personas_unindexed WHERE seq = ANY ($1::bigint[])'
const CONNECT_TIMEOUT_MS = 5_000

export class PostgresqlTermStore implements TermStore {
  private constructor(private readonly client: Client) {}

  static async open(url: string): Promise<PostgresqlTermStore> {
    const client = new Client({
      ...clientConfigOf(url),
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      application_name: 'gator search',
    })
    // One that breaks while nobody uses it: the next statement says so.
    client.on('error', () => undefined)
    await client.connect()
    return new PostgresqlTermStore(client)
  }

  // Servers of several machines may share the database: two at once could each write what the other has just replaced.
  async index(limit: number): Promise<number> {
    if (await this.#isTrue(IS_EMPTY)) return 0
    await this.client.query('BEGIN')
    try {
      const indexed = (await this.#isTrue(TAKE_TURN)) ? await this.#index(limit) : 0
      await this.client.query('COMMIT')
      return indexed
    } catch (error) {
      await this.client.query('ROLLBACK')
      throw error
    }
  }

  close(): Promise<void> {
    return this.client.end()
  }

  // Each statement sees what was committed before it: the texts are at least as new as the entries, and one that is
  // written later has an entry of its own, which stays.
  async #index(limit: number): Promise<number> {
    const { rows } = await this.client.query<[...QueuedRow]>({ text: QUEUED, values: [limit], rowMode: 'array' })
    const ids = rows.map(([, id]) => id)
    const known = await this.client.query<[string, string[]]>({ text: KNOWN, values: [ids], rowMode: 'array' })
    const { gone, added } = differenceOf(rows, new Map(known.rows))
    for (const [sql, pairs] of [
      [FORGET, gone],
      [LEARN, added],
    ] as const) {
      await this.client.query(sql, [pairs.map(([id]) => id), pairs.map(([, term]) => term)])
    }
    await this.client.query(DONE, [rows.map(([seq]) => seq)])
    return rows.length
  }

  async #isTrue(text: string): Promise<boolean> {
    const { rows } = await this.client.query<[boolean]>({ text, rowMode: 'array' })
    return rows[0]?.[0] ?? false
  }
}
