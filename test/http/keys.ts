import { ApiKeyStore, type NewKey } from '../../src/access/api-key.store.js'
import { KeyRing } from '../../src/access/key-ring.js'
import type { Scope } from '../../src/access/scopes.js'
import { Database } from '../../src/database/database.js'
import { until } from '../processes/until.js'
import type { TestApp } from './support.js'

/** The keys of an application, as `gator keys` changes them. */
export class Keys {
  constructor(private readonly app: () => TestApp) {}

  get store(): ApiKeyStore {
    return new ApiKeyStore(this.app().app.get(Database))
  }

  /** Makes a key that the application knows when this resolves. */
  async create(scopes: readonly Scope[], fields: Partial<NewKey> = {}): Promise<{ id: string; bearer: Bearer }> {
    const { apiKey, key } = await this.store.create({ name: 'Test', expiresAt: null, ...fields, scopes }, new Date(0))
    const bearer = { authorization: `Bearer ${key}` }
    const ring = this.app().app.get(KeyRing, { strict: false })
    await until('the key is known', () => isKnown(ring, bearer.authorization))
    return { id: apiKey.id, bearer }
  }
}

export type Bearer = Readonly<Record<'authorization', string>>

function isKnown(ring: KeyRing, authorization: string): boolean {
  try {
    return ring.find(authorization) !== undefined
  } catch (error) {
    // Known, and of no use.
    return /expired|revoked/.test((error as Error).message)
  }
}
