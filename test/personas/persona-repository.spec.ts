import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Database } from '../../src/database/database.js'
import { MAX_GENERATION_COUNT, PERSONA_FIELDS, type PersonaChanges } from '../../src/personas/persona.js'
import type { PersonaRepository } from '../../src/personas/persona.repository.js'
import { PrismaPersonaRepository } from '../../src/personas/prisma-persona.repository.js'
import { openPersonaRepository } from '../../src/personas/statement-persona.repository.js'
import { databases, type TestDatabase } from '../support/databases.js'
import { aPersona, NOBODY, OTHER_FIELDS } from './personas.js'

const UNKNOWN = '019aaf3e-0000-7000-8000-000000000000'

const repositories = [
  ['through Prisma', (database: Database) => new PrismaPersonaRepository(database)],
  ['past Prisma', openPersonaRepository],
] as const
const each = Object.entries(databases).flatMap(([name, create]) =>
  repositories.map(([way, open]) => ({ name, create, way, open })),
)

// The contract of PersonaRepository, on each database. Reads go through a second set of connections, as those of another
// worker would.
describe.each(each)('PersonaRepository on $name $way', ({ create, open }) => {
  let database: TestDatabase
  let connections: Database[]
  let repository: PersonaRepository
  let elsewhere: PersonaRepository

  beforeAll(async () => {
    database = await create()
    connections = [await database.connect(), await database.connect()]
    const [here, there] = connections as [Database, Database]
    repository = open(here)
    elsewhere = open(there)
  })

  afterAll(async () => {
    await Promise.all(connections.map((connection) => connection.close()))
    await database.remove()
  })

  it('stores a persona as it was given, with version 1 and no generations', async () => {
    const persona = aPersona(OTHER_FIELDS)
    const stored = await repository.insert(persona, NOBODY)
    expect(stored).toEqual({ ...persona, version: 1, generationCount: 0, updatedAt: persona.createdAt })
    expect(await elsewhere.findById(persona.id)).toEqual(stored)
  })

  // Its letters come from chance, so that nothing makes them shorter.
  it('stores a name that is longer than a row of an index may be', async () => {
    const persona = aPersona({ name: randomBytes(8_000).toString('hex') })
    await repository.insert(persona, NOBODY)
    expect((await elsewhere.findById(persona.id))?.name).toBe(persona.name)
  })

  it('keeps the keys of a JSON object in their order and its numbers as they are', async () => {
    const { id } = await repository.insert(aPersona({ stylePreferences: OTHER_FIELDS.stylePreferences }), NOBODY)
    const found = await elsewhere.findById(id)
    expect(JSON.stringify(found?.stylePreferences)).toBe(JSON.stringify(OTHER_FIELDS.stylePreferences))
  })

  it.each(PERSONA_FIELDS)('changes %s and nothing else, and adds one to the version', async (field) => {
    const before = await repository.insert(aPersona(), NOBODY)
    const changes: PersonaChanges = { [field]: OTHER_FIELDS[field] }
    const updated = await repository.updateIf(before.id, changes, {}, NOBODY)
    const expected = { ...before, ...changes, version: 2, updatedAt: updated?.updatedAt }
    expect(updated).toEqual(expected)
    expect(updated?.updatedAt.getTime()).toBeGreaterThan(before.updatedAt.getTime())
    expect(await elsewhere.findById(before.id)).toEqual(expected)
  })

  it.each(['baseAppearanceDescription', 'baseImagePath'] as const)('clears %s', async (field) => {
    const { id } = await repository.insert(aPersona({ [field]: 'something' }), NOBODY)
    await repository.updateIf(id, { [field]: null }, {}, NOBODY)
    expect((await elsewhere.findById(id))?.[field]).toBeNull()
  })

  it('answers null for an unknown persona', async () => {
    const outcomes = [
      repository.findById(UNKNOWN),
      repository.updateIf(UNKNOWN, { name: 'Nobody' }, {}, NOBODY),
      repository.updateWith(UNKNOWN, undefined, () => ({ name: 'Nobody' }), NOBODY),
      repository.addGenerations(UNKNOWN, 1, NOBODY),
    ]
    expect(await Promise.all(outcomes)).toEqual([null, null, null, null])
  })

  it.each([
    ['a version that is not the current one', { versions: [2, 3] }],
    ['no version at all', { versions: [] }],
    ['a default rating that is another', { defaultRatingIn: ['moderate', 'nsfw'] }],
    ['an allowed rating that is missing', { allowedRatingsInclude: 'moderate' }],
    ['one part that holds and one that does not', { versions: [1], allowedRatingsInclude: 'nsfw' }],
  ] as const)('changes nothing when the guard asks for %s', async (_case, guard) => {
    const before = await repository.insert(aPersona(), NOBODY)
    expect(await repository.updateIf(before.id, { name: 'Changed' }, guard, NOBODY)).toBeNull()
    expect(await elsewhere.findById(before.id)).toEqual(before)
  })

  it.each([
    ['the current version', { versions: [9, 1] }],
    ['the stored default rating', { defaultRatingIn: ['nsfw', 'sfw'] }],
    ['a stored allowed rating', { allowedRatingsInclude: 'sfw' }],
    ['an active persona', { isActive: true }],
  ] as const)('changes what is stored when the guard asks for %s', async (_case, guard) => {
    const { id } = await repository.insert(aPersona(), NOBODY)
    expect(await repository.updateIf(id, { name: 'Changed' }, guard, NOBODY)).toMatchObject({
      name: 'Changed',
      version: 2,
    })
  })

  it('does not take "sfw" for a part of "nsfw"', async () => {
    const { id } = await repository.insert(
      aPersona({ defaultContentRating: 'nsfw', allowedContentRatings: ['nsfw'] }),
      NOBODY,
    )
    expect(await repository.updateIf(id, { name: 'Changed' }, { allowedRatingsInclude: 'sfw' }, NOBODY)).toBeNull()
  })

  it('leaves an inactive persona alone when the guard asks for an active one', async () => {
    const { id } = await repository.insert(aPersona({ isActive: false }), NOBODY)
    expect(await repository.updateIf(id, { name: 'Changed' }, { isActive: true }, NOBODY)).toBeNull()
  })

  it('changes a persona by what it is, one change after another', async () => {
    const { id } = await repository.insert(aPersona({ stylePreferences: { count: 0 } }), NOBODY)
    const increment = (store: PersonaRepository) =>
      store.updateWith(
        id,
        undefined,
        (current) => ({ stylePreferences: { count: Number(current.stylePreferences.count) + 1 } }),
        NOBODY,
      )
    const writers = Array.from({ length: 20 }, (_value, index) => increment(index % 2 === 0 ? repository : elsewhere))
    const versions = (await Promise.all(writers)).map((persona) => persona?.version)
    expect(new Set(versions).size).toBe(20)
    expect(await elsewhere.findById(id)).toMatchObject({ stylePreferences: { count: 20 }, version: 21 })
  })

  it('shows the stored persona to a change, and changes nothing when it throws', async () => {
    const before = await repository.insert(aPersona(), NOBODY)
    const seen: unknown[] = []
    const change = (...given: unknown[]) => {
      seen.push(...given)
      throw new Error('not so')
    }
    await expect(repository.updateWith(before.id, 1, change, NOBODY)).rejects.toThrow('not so')
    expect(seen).toEqual([before, { base: before, unsure: new Set(), changed: new Set() }])
    expect(await elsewhere.findById(before.id)).toEqual(before)
    expect(await repository.updateWith(before.id, undefined, () => ({}), NOBODY)).toEqual(before)
    expect(await elsewhere.findById(before.id)).toEqual(before)
  })

  it('counts generations without touching version and time, from many connections at once', async () => {
    const before = await repository.insert(aPersona(), NOBODY)
    const counts = Array.from({ length: 20 }, (_value, index) =>
      (index % 2 === 0 ? repository : elsewhere).addGenerations(before.id, index + 1, NOBODY),
    )
    await Promise.all(counts)
    expect(await elsewhere.findById(before.id)).toEqual({ ...before, generationCount: 210 })
  })

  it('does not count beyond what both databases hold', async () => {
    const { id } = await repository.insert(aPersona(), NOBODY)
    expect(await repository.addGenerations(id, MAX_GENERATION_COUNT, NOBODY)).toMatchObject({
      generationCount: MAX_GENERATION_COUNT,
    })
    expect(await repository.addGenerations(id, 1, NOBODY)).toBeNull()
  })
})

describe.each(Object.entries(databases))('PersonaRepository.findPage on %s', (_name, create) => {
  let database: TestDatabase
  let connection: Database
  let repository: PrismaPersonaRepository

  beforeAll(async () => {
    database = await create()
    connection = await database.connect()
    repository = new PrismaPersonaRepository(connection)
    const at = (millisecond: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, 0, millisecond))
    const rows = [
      aPersona({ id: '00000000-0000-7000-8000-00000000000a', name: 'old', createdAt: at(1) }),
      aPersona({ id: '00000000-0000-7000-8000-000000000009', name: 'tie, lower id', createdAt: at(2) }),
      aPersona({ id: '00000000-0000-7000-8000-00000000000b', name: 'tie, higher id', createdAt: at(2) }),
      aPersona({ id: '00000000-0000-7000-8000-000000000001', name: 'inactive', createdAt: at(3), isActive: false }),
      aPersona({ id: '00000000-0000-7000-8000-000000000002', name: 'new', createdAt: at(4) }),
    ]
    for (const row of rows) await repository.insert(row, NOBODY)
  })

  afterAll(async () => {
    await connection.close()
    await database.remove()
  })

  const names = async (skip: number, limit: number, activeOnly: boolean) =>
    (await repository.findPage({ skip, limit, activeOnly })).map((persona) => persona.name)

  it('answers the newest first, equal times by id', async () => {
    expect(await names(0, 100, false)).toEqual(['new', 'inactive', 'tie, higher id', 'tie, lower id', 'old'])
  })

  it('leaves out the inactive ones', async () => {
    expect(await names(0, 100, true)).toEqual(['new', 'tie, higher id', 'tie, lower id', 'old'])
    expect([await repository.count(true), await repository.count(false)]).toEqual([4, 5])
  })

  it('answers the part that is asked for', async () => {
    expect(await names(1, 2, true)).toEqual(['tie, higher id', 'tie, lower id'])
    expect(await names(4, 2, true)).toEqual([])
    expect(await names(2_147_483_647, 100, true)).toEqual([])
  })
})
