import type { DatabaseAccess, DirectReads } from '../database/database.js'
import type { ApiKeyModel } from '../generated/sqlite/models.js'
import { type ApiKey, hashOf, makeKey } from './api-key.js'
import type { Scope } from './scopes.js'

export interface NewKey {
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly expiresAt: Date | null
}

/** Times as milliseconds since 1970, which no driver reads as one of this machine's zone. */
const KEYS_APART = `
  SELECT id, name, hash, scopes, ${['created_at', 'expires_at', 'revoked_at', 'last_used_at']
    .map((column) => `(extract(epoch FROM ${column}) * 1000)::float8`)
    .join(', ')}
  FROM api_keys`

type KeyRow = [
  ...[id: string, name: string, hash: string, scopes: string, createdAt: number],
  ...[expiresAt: number | null, revokedAt: number | null, lastUsedAt: number | null],
]

/** All keys, read past everybody who waits for a connection. */
export async function readKeysApart(reads: Extract<DirectReads, { kind: 'remote' }>): Promise<ApiKey[]> {
  const rows = (await reads.rowsApart(KEYS_APART)) as KeyRow[]
  return rows.map(([id, name, hash, scopes, createdAt, ...times]) => {
    const [expiresAt = null, revokedAt = null, lastUsedAt = null] = times.map(dateOf)
    return toApiKey({ id, name, hash, scopes, createdAt: new Date(createdAt), expiresAt, revokedAt, lastUsedAt })
  })
}

/** The API keys in the database. A key that was revoked or has expired stays in it until it is removed. */
export class ApiKeyStore {
  constructor(private readonly database: DatabaseAccess) {}

  /** All of them, oldest first. */
  async list(): Promise<ApiKey[]> {
    const rows = await this.database.read((client) =>
      client.apiKey.findMany({ orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] }),
    )
    return rows.map(toApiKey)
  }

  /** Makes a key. What is answered with it, the text that its holder sends, is kept nowhere. */
  async create({ name, scopes, expiresAt }: NewKey, now: Date): Promise<{ apiKey: ApiKey; key: string }> {
    const { id, key } = makeKey()
    const data = { id, name, hash: hashOf(key), scopes: scopes.join(' '), createdAt: now, expiresAt }
    const row = await this.database.write((client) => client.apiKey.create({ data }))
    return { apiKey: toApiKey(row), key }
  }

  /** Revokes a key for ever, and answers it as it is now; null for an unknown one. Again, it changes nothing. */
  async revoke(id: string, now: Date): Promise<ApiKey | null> {
    await this.database.write((client) =>
      client.apiKey.updateMany({ where: { id, revokedAt: null }, data: { revokedAt: now } }),
    )
    const row = await this.database.read((client) => client.apiKey.findUnique({ where: { id } }))
    return row && toApiKey(row)
  }

  /** Removes those that were revoked or have expired, and answers how many they were. */
  async removeEnded(now: Date): Promise<number> {
    const where = { OR: [{ revokedAt: { not: null } }, { expiresAt: { lte: now } }] }
    return (await this.database.write((client) => client.apiKey.deleteMany({ where }))).count
  }

  /** Notes that these were used, in one statement. */
  async noteUse(ids: readonly string[], now: Date): Promise<void> {
    await this.database.write((client) =>
      client.apiKey.updateMany({ where: { id: { in: [...ids] } }, data: { lastUsedAt: now } }),
    )
  }
}

function toApiKey({ scopes, ...key }: ApiKeyModel): ApiKey {
  // Written from the list of scopes alone; one that a later version knew is good for nothing here.
  return { ...key, scopes: scopes.split(' ') as Scope[] }
}

function dateOf(time: number | null): Date | null {
  return time === null ? null : new Date(time)
}
