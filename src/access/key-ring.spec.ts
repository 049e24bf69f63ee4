import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { pino } from 'pino'
import { parseSettings } from '../config/settings.js'
import { DatabaseAwayError, DatabaseUnavailableError } from '../database/database-errors.js'
import type { Database } from '../database/database.js'
import type { ApiKeyModel } from '../generated/sqlite/models.js'
import { hashOf, makeKey } from './api-key.js'
import { KeyRing } from './key-ring.js'

const LOOK_MS = 400
const TRUSTED_AWAY_MS = 600_000
const TRUSTED_MS = 10_000
const { id, key } = makeKey()
const ROW = {
  ...{ id, name: 'Studio', hash: hashOf(key), scopes: 'personas:read', createdAt: new Date(0) },
  ...{ expiresAt: null, revokedAt: null, lastUsedAt: null },
}
const AUTHORIZATION = `bearer  ${key}`

// What the databases answer is asked of them in test/http/access.spec.ts: here they are away.
describe('the keys, while the database is away', () => {
  let isAway: boolean
  let failure: Error
  let rows: ApiKeyModel[]
  let writes: number
  let ring: KeyRing
  const database = {
    directReads: null,
    read: () => (isAway ? Promise.reject(failure) : Promise.resolve(rows)),
    write: () => {
      writes++
      return isAway ? Promise.reject(failure) : Promise.resolve()
    },
  } as unknown as Database

  beforeEach(() => {
    jest.useFakeTimers()
    isAway = false
    failure = new DatabaseAwayError()
    rows = [ROW]
    writes = 0
    ring = new KeyRing(parseSettings({}, false), pino({ level: 'silent' }))
  })
  afterEach(async () => {
    await ring.close()
    jest.useRealTimers()
  })

  it('are not known, and nobody is let in, until they could be read', async () => {
    isAway = true
    await ring.follow(database)
    expect(() => ring.isOpen).toThrow(DatabaseUnavailableError)
    expect(() => ring.find(AUTHORIZATION)).toThrow(DatabaseUnavailableError)
    isAway = false
    await jest.advanceTimersByTimeAsync(LOOK_MS)
    expect([ring.isOpen, ring.find(AUTHORIZATION).id]).toEqual([false, id])
  })

  it.each<[string, Error, number]>([
    ['ten minutes', new DatabaseAwayError(), TRUSTED_AWAY_MS],
    ['ten seconds when it is there, and refuses', new DatabaseUnavailableError('too many connections'), TRUSTED_MS],
  ])('are good for %s, and again when it is back', async (_howLong, error, trustedMs) => {
    failure = error
    await ring.follow(database)
    isAway = true
    await jest.advanceTimersByTimeAsync(trustedMs - LOOK_MS)
    expect(ring.find(AUTHORIZATION).id).toBe(id)
    await jest.advanceTimersByTimeAsync(LOOK_MS)
    expect(() => ring.find(AUTHORIZATION)).toThrow(DatabaseUnavailableError)
    isAway = false
    await jest.advanceTimersByTimeAsync(LOOK_MS)
    expect(ring.find(AUTHORIZATION).id).toBe(id)
  })

  it('that there are none is true for as long as it takes', async () => {
    rows = []
    await ring.follow(database)
    isAway = true
    await jest.advanceTimersByTimeAsync(2 * TRUSTED_AWAY_MS)
    expect(ring.isOpen).toBe(true)
  })

  it('have their last use written down when it is back, once', async () => {
    await ring.follow(database)
    for (let n = 0; n < 100; n++) ring.find(AUTHORIZATION)
    isAway = true
    await ring.noteUse()
    isAway = false
    await ring.noteUse()
    await ring.noteUse()
    expect(writes).toBe(2)
  })
})
