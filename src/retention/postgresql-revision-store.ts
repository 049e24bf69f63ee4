import { Client } from 'pg'
import { clientConfigOf } from '../database/postgresql/connection-config.js'
import { newEpoch } from '../personas/changes/change-epoch.js'
import { type Expiry, expiredSql, expiredValues, raiseFloorSql, type RevisionStore } from './revision-store.js'

const EXPIRED = expiredSql('$1::text, $2::timestamp, $3::timestamp, $4::bigint, $5::bigint')
const RAISE_FLOOR = raiseFloorSql('$1', '$2::bigint', 'GREATEST')
const CONNECT_TIMEOUT_MS = 5_000

export class PostgresqlRevisionStore implements RevisionStore {
  private constructor(private readonly client: Client) {}

  static async open(url: string): Promise<PostgresqlRevisionStore> {
    const client = new Client({
      ...clientConfigOf(url),
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      application_name: 'gator retention',
    })
    // One that breaks while nobody uses it: the next statement says so.
    client.on('error', () => undefined)
    await client.connect()
    return new PostgresqlRevisionStore(client)
  }

  async nextPersona(after: string): Promise<string | null> {
    const [id = null] = await this.#texts('SELECT min(persona_id) FROM persona_revisions WHERE persona_id > $1', [
      after,
    ])
    return id
  }

  async expired(personaId: string, expiry: Expiry, limit: number): Promise<readonly string[]> {
    const [id, young, before, keep, most] = expiredValues(personaId, expiry, limit)
    const seqs = await this.#texts(EXPIRED, [id, withoutZone(young), withoutZone(before), keep, most])
    return seqs.flatMap((seq) => seq ?? [])
  }

  async raiseFloor(seq: string): Promise<void> {
    await this.client.query(RAISE_FLOOR, [newEpoch(), seq])
  }

  async remove(seqs: readonly string[]): Promise<void> {
    await this.client.query('DELETE FROM persona_revisions WHERE seq = ANY($1::bigint[])', [seqs])
  }

  close(): Promise<void> {
    return this.client.end()
  }

  async #texts(text: string, values: unknown[]): Promise<(string | null)[]> {
    const { rows } = await this.client.query<(string | null)[]>({ text, values, rowMode: 'array' })
    return rows.map(([value]) => value ?? null)
  }
}

// The column has none, and its times are UTC.
function withoutZone(time: Date): string {
  return time.toISOString().replace('Z', '')
}
