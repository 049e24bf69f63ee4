import type { DatabaseAccess } from '../database/database.js'
import type { IdempotencyKeyModel } from '../generated/sqlite/models.js'

/** What was answered, as it goes over the wire. */
export interface StoredAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** JSON. */
  readonly body: string
}

/** The answer that a key has, with the fingerprint of the request that it was given to. */
export interface Claimed {
  readonly fingerprint: string
  readonly answer: StoredAnswer
}

/** A key with the request that it is for, and the time from which on keys count. */
export interface Claim {
  readonly key: string
  readonly fingerprint: string
  readonly keptSince: Date
}

/** The keys and their answers, in the database or in a transaction of it. */
export class IdempotencyStore {
  constructor(private readonly database: DatabaseAccess) {}

  /** What the key was answered; null when it is unknown, or no longer kept. */
  async find({ key, keptSince }: Omit<Claim, 'fingerprint'>): Promise<Claimed | null> {
    const row = await this.database.read((client) => client.idempotencyKey.findUnique({ where: { key } }))
    return row && row.createdAt >= keptSince ? toClaimed(row) : null
  }

  /**
   * Takes the key for a request, and with it the lock of its row; or answers what it was answered before. Only in a
   * transaction, which must {@link complete} it: a claim without an answer is seen by nobody else.
   */
  async claim({ key, fingerprint, keptSince }: Claim): Promise<Claimed | null> {
    const unanswered = { fingerprint, status: null, headers: null, body: null, createdAt: new Date() }
    // One INSERT ... ON CONFLICT: of two at once, the second waits for the first one's COMMIT and gets its row.
    const row = await this.database.write((client) =>
      client.idempotencyKey.upsert({ where: { key }, create: { key, ...unanswered }, update: { key } }),
    )
    const claimed = toClaimed(row)
    if (!claimed) return null
    if (row.createdAt >= keptSince) return claimed
    await this.database.write((client) => client.idempotencyKey.update({ where: { key }, data: unanswered }))
    return null
  }

  async complete(key: string, { status, headers, body }: StoredAnswer): Promise<void> {
    const data = { status, headers: JSON.stringify(headers), body }
    await this.database.write((client) => client.idempotencyKey.update({ where: { key }, data, select: { key: true } }))
  }

  /** Removes keys that are no longer kept, at most so many, and answers how many. */
  async removeExpired(keptSince: Date, limit: number): Promise<number> {
    const createdAt = { lt: keptSince }
    // Asked first: there is mostly nothing to do, and a read waits for nobody.
    const expired = await this.database.read((client) =>
      client.idempotencyKey.findMany({ where: { createdAt }, select: { key: true }, take: limit }),
    )
    if (expired.length === 0) return 0
    // A request may take one of them meanwhile: with the keys alone (or with the client's `limit`, which puts the condition
    // into a subquery) PostgreSQL would remove the row that this request has just written.
    const where = { key: { in: expired.map(({ key }) => key) }, createdAt }
    return (await this.database.write((client) => client.idempotencyKey.deleteMany({ where }))).count
  }
}

/** Null for a row of which only the claim is written: it is this very transaction's. */
function toClaimed({ fingerprint, status, headers, body }: IdempotencyKeyModel): Claimed | null {
  if (status === null || headers === null || body === null) return null
  return { fingerprint, answer: { status, headers: JSON.parse(headers) as Record<string, string>, body } }
}
