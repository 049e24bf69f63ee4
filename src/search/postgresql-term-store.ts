import { Client } from 'pg'
import { clientConfigOf } from '../database/postgresql/connection-config.js'
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

const QUEUED = queuedSql('$1')
/** Of one indexer alone, by the service's number (0x6761) and one for this lock. */
const TAKE_TURN = 'SELECT pg_try_advisory_xact_lock(26465, 1)'
const ENTRIES = `
  SELECT persona_id, count(*), count(*) FILTER (WHERE seq = ANY ($1::bigint[])) FROM personas_unindexed
  WHERE persona_id = ANY ($2::text[]) GROUP BY persona_id`
const TEXTS = 'SELECT id, name, appearance, personality, content_themes FROM personas WHERE id = ANY ($1::text[])'
const TERMS =
  'SELECT persona_id, array_agg(term) FROM persona_terms WHERE persona_id = ANY ($1::text[]) GROUP BY persona_id'
const FORGET = `
  DELETE FROM persona_terms AS known USING unnest($1::text[], $2::text[]) AS gone (persona_id, term)
  WHERE known.persona_id = gone.persona_id AND known.term = gone.term`
const LEARN = `
  INSERT INTO persona_terms (persona_id, term) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING`
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

  queued(limit: number): Promise<readonly QueuedRow[]> {
    return this.#rows(QUEUED, [limit])
  }

  entries(ids: readonly string[], seqs: readonly (string | number)[]): Promise<readonly EntriesRow[]> {
    return this.#rows(ENTRIES, [seqs, ids])
  }

  texts(ids: readonly string[]): Promise<readonly TextsRow[]> {
    return this.#rows(TEXTS, [ids])
  }

  async terms(ids: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    return new Map(await this.#rows<readonly [string, string[]]>(TERMS, [ids]))
  }

  // Servers of several machines may share the database: two at once would wait for each other's rows.
  async apply(step: Step): Promise<Outcome> {
    await this.client.query('BEGIN')
    try {
      const [[isOurs] = []] = await this.#rows<readonly [boolean]>(TAKE_TURN, [])
      const outcome = isOurs ? await this.#apply(step) : 'busy'
      await this.client.query('COMMIT')
      return outcome
    } catch (error) {
      await this.client.query('ROLLBACK')
      throw error
    }
  }

  close(): Promise<void> {
    return this.client.end()
  }

  async #apply(step: Step): Promise<Outcome> {
    const ids = step.looked.map(({ id }) => id)
    const seqs = step.looked.flatMap((one) => one.seqs)
    const part = partOf(step, await this.entries(ids, seqs))
    for (const [sql, pairs] of [
      [FORGET, part.gone],
      [LEARN, part.added],
    ] as const) {
      await this.client.query(sql, [pairs.map(([id]) => id), pairs.map(([, term]) => term)])
    }
    await this.client.query(DONE, [part.done])
    return outcomeOf(part)
  }

  async #rows<T extends readonly unknown[]>(text: string, values: unknown[]): Promise<readonly T[]> {
    const { rows } = await this.client.query({ text, values, rowMode: 'array' })
    return rows as unknown as readonly T[]
  }
}
