import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { PERSONA_FIELDS } from '../../src/personas/persona.js'
import { toResource, WIRE_NAMES } from '../../src/personas/persona.mapper.js'
import { PERSONAS, TestApp } from '../http/support.js'
import { databases, type TestDatabase } from '../support/databases.js'
import { aPersona, OTHER_FIELDS } from './personas.js'

const other = toResource({ ...aPersona(OTHER_FIELDS), version: 1, generationCount: 0, updatedAt: new Date() })
const required = { name: 'Sarah', appearance: 'short silver hair', personality: 'curious and warm' }
// A default rating must be allowed, so the two rating fields go together where one of them would break the rule.
const companions = (field: string) =>
  field.endsWith('_content_rating') || field.endsWith('_content_ratings')
    ? { default_content_rating: other.default_content_rating, allowed_content_ratings: other.allowed_content_ratings }
    : {}

// Every writable field of the contract comes back, from another process' connections, after every kind of write.
describe.each(Object.entries(databases))('every writable field on %s', (_name, create) => {
  let database: TestDatabase
  let here: TestApp
  let elsewhere: TestApp

  beforeAll(async () => {
    database = await create()
    here = await TestApp.start(database)
    elsewhere = await TestApp.start(database)
  })

  afterAll(async () => {
    await Promise.all([here.close(), elsewhere.close()])
    await database.remove()
  })

  const createPersona = async (fields: object): Promise<string> => {
    const response = await here.sendJson('POST', PERSONAS, { ...required, ...fields })
    expect(response.statusCode).toBe(201)
    return response.json<{ id: string }>().id
  }

  const readElsewhere = async (id: string): Promise<Record<string, unknown>> => {
    return (await elsewhere.get(PERSONAS + id)).json()
  }

  it.each(PERSONA_FIELDS.map((field) => WIRE_NAMES[field]))(
    '%s comes back after create, PUT and PATCH',
    async (field) => {
      const change = { ...companions(field), [field]: other[field] }
      const created = await createPersona(change)
      expect((await readElsewhere(created))[field]).toEqual(other[field])

      for (const method of ['PUT', 'PATCH'] as const) {
        const id = await createPersona({})
        expect((await readElsewhere(id))[field]).not.toEqual(other[field])
        const response = await here.sendJson(method, PERSONAS + id, change)
        expect(response.statusCode).toBe(200)
        expect(response.json<Record<string, unknown>>()[field]).toEqual(other[field])
        expect((await readElsewhere(id))[field]).toEqual(other[field])
      }
    },
  )
})
