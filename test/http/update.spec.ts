import { describe, expect, it } from '@jest/globals'
import type { PersonaResource } from '../../src/personas/dto/persona.resource.js'
import { onEachDatabase } from '../support/databases.js'
import { aPersona, type Fields, MERGE_PATCH, PERSONAS, pointersOf, withApp, without } from './support.js'

/** A value of each writable field that is not its default. */
const EVERY_FIELD = {
  name: 'Someone Else',
  appearance: 'Long red hair and a green coat',
  personality: 'Calm, dry and very patient',
  content_themes: ['gardening', 'jazz'],
  style_preferences: { palette: 'warm', lighting: { key: 'soft', fill: [1, 2.5, null, true] } },
  default_content_rating: 'moderate',
  allowed_content_ratings: ['moderate', 'nsfw'],
  platform_restrictions: { instagram: 'sfw_only', other: 'all' },
  base_appearance_description: 'The description',
  base_image_path: 'images/else.png',
  appearance_locked: true,
  base_image_status: 'approved',
  is_active: false,
}

const READ_ONLY = {
  id: '00000000-0000-7000-8000-000000000000',
  generation_count: 77,
  version: 99,
  created_at: '2001-02-03T04:05:06.789Z',
  updated_at: 'not even a date',
}

const writableOf = (persona: PersonaResource): Fields =>
  Object.fromEntries(Object.keys(EVERY_FIELD).map((field) => [field, persona[field as keyof PersonaResource]]))

onEachDatabase((kind) => {
  const app = withApp(kind)

  describe('every writable field', () => {
    it('is stored by a create', async () => {
      const created = await app().create(EVERY_FIELD)
      expect(writableOf(created)).toEqual(EVERY_FIELD)
      expect(await app().read(created.id)).toEqual(created)
    })

    it.each(['PUT', 'PATCH'] as const)('is stored by a %s of all of them', async (method) => {
      const { id } = await app().create()
      const updated = await app().sendJson(method, PERSONAS + id, EVERY_FIELD)
      expect(updated.statusCode).toBe(200)
      expect(writableOf(await app().read(id))).toEqual(EVERY_FIELD)
    })

    const ratings = without({ ...EVERY_FIELD, allowed_content_ratings: ['nsfw', 'sfw'] }, 'default_content_rating')
    const single = (['PUT', 'PATCH'] as const).flatMap((method) =>
      Object.entries(ratings).map(([field, value]) => [method, field, value] as const),
    )

    it.each(single)('is changed alone by a %s: %s', async (method, field, value) => {
      const before = await app().create()
      const response = await app().sendJson(method, PERSONAS + before.id, { [field]: value })
      const after = response.json<PersonaResource>()
      expect(after).toEqual({ ...before, [field]: value, version: 2, updated_at: after.updated_at })
      expect(Date.parse(after.updated_at)).toBeGreaterThanOrEqual(Date.parse(before.updated_at))
      expect(await app().read(before.id)).toEqual(after)
    })
  })

  describe('PUT', () => {
    it('leaves absent and null fields as they are', async () => {
      const before = await app().create(EVERY_FIELD)
      const nulls = Object.fromEntries(Object.keys(EVERY_FIELD).map((field) => [field, null]))
      const response = await app().sendJson('PUT', PERSONAS + before.id, { ...nulls, name: 'New Name' })
      expect(writableOf(response.json())).toEqual({ ...EVERY_FIELD, name: 'New Name' })
    })

    it.each<[string, Fields | undefined]>([
      ['{}', {}],
      ['nothing but null', { name: null, base_image_path: null, content_themes: null }],
      ['nothing but read-only fields', READ_ONLY],
      ['an empty body', undefined],
    ])('changes nothing with %s, not even the version', async (_label, body) => {
      const before = await app().create(EVERY_FIELD)
      const response = await app().sendText('PUT', PERSONAS + before.id, body ? JSON.stringify(body) : '')
      expect([response.statusCode, response.json()]).toEqual([200, before])
      expect(response.headers.etag).toBe('"1.0"')
      expect(await app().read(before.id)).toEqual(before)
    })

    it('replaces objects', async () => {
      const { id } = await app().create({
        style_preferences: { a: 1, b: { c: 2 } },
        platform_restrictions: { x: 'all' },
      })
      const body = { style_preferences: { b: { d: null } }, platform_restrictions: { y: 'both' } }
      expect((await app().sendJson('PUT', PERSONAS + id, body)).json()).toMatchObject(body)
      expect((await app().read(id)).style_preferences).toEqual({ b: { d: null } })
    })

    it('takes the whole resource back, edited', async () => {
      const whole = { ...(await app().create(EVERY_FIELD)), name: 'Edited' }
      const response = await app().sendJson('PUT', PERSONAS + whole.id, whole)
      expect(response.statusCode).toBe(200)
      expect(response.json()).toEqual({ ...whole, version: 2, updated_at: response.json<PersonaResource>().updated_at })
    })
  })

  describe('PATCH', () => {
    it.each(['application/json', MERGE_PATCH, `${MERGE_PATCH}; charset=utf-8`])('takes %s', async (type) => {
      const { id } = await app().create()
      const response = await app().sendJson('PATCH', PERSONAS + id, { name: 'Patched' }, { 'content-type': type })
      expect([response.statusCode, response.json<PersonaResource>().name]).toEqual([200, 'Patched'])
    })

    it.each(['base_appearance_description', 'base_image_path'])(
      'clears a nullable field with null: %s',
      async (field) => {
        const { id } = await app().create(EVERY_FIELD)
        const response = await app().sendJson('PATCH', PERSONAS + id, { [field]: null })
        expect(response.json()).toMatchObject({ [field]: null, version: 2 })
        expect(await app().read(id)).toEqual(response.json())
      },
    )

    const others = Object.keys(EVERY_FIELD).filter((field) => !field.startsWith('base_') || field.endsWith('status'))

    it.each(others)('refuses null for a field that is not nullable: %s', async (field) => {
      const before = await app().create(EVERY_FIELD)
      expect(pointersOf(await app().sendJson('PATCH', PERSONAS + before.id, { [field]: null }))).toEqual([`/${field}`])
      expect(await app().read(before.id)).toEqual(before)
    })

    // The cases of RFC 7396, appendix A, that have an object as their result.
    it.each<[Fields, Fields, Fields]>([
      [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
      [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
      [{ a: 'b' }, { a: null }, {}],
      [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
      [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
      [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
      [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
      [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
      [{ e: null }, { a: 1 }, { e: null, a: 1 }],
      [{ a: 'foo' }, { a: { b: 1 } }, { a: { b: 1 } }],
      [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
      [{ a: [1, null] }, {}, { a: [1, null] }],
      [{ a: 1 }, { b: [null, { c: null }] }, { a: 1, b: [null, { c: null }] }],
    ])('merges style_preferences: %j with %j is %j', async (stored, patch, result) => {
      const { id } = await app().create({ style_preferences: stored })
      const body = { style_preferences: patch }
      const response = await app().sendJson('PATCH', PERSONAS + id, body, { 'content-type': MERGE_PATCH })
      expect(response.json<PersonaResource>().style_preferences).toEqual(result)
      expect((await app().read(id)).style_preferences).toEqual(result)
    })

    it('merges platform_restrictions, and holds the result against the rules', async () => {
      const { id } = await app().create({ platform_restrictions: { a: 'all', b: 'both' } })
      const url = PERSONAS + id
      const merged = await app().sendJson('PATCH', url, { platform_restrictions: { a: null, c: 'sfw_only' } })
      expect(merged.json()).toMatchObject({ platform_restrictions: { b: 'both', c: 'sfw_only' }, version: 2 })
      const refused = await app().sendJson('PATCH', url, { name: 'Not this', platform_restrictions: { 'd/e': 'none' } })
      expect(pointersOf(refused)).toEqual(['/platform_restrictions/d~1e'])
      expect(await app().read(id)).toEqual(merged.json())
    })

    it.each([{}, READ_ONLY])('changes nothing with %j', async (body) => {
      const before = await app().create(EVERY_FIELD)
      const response = await app().sendJson('PATCH', PERSONAS + before.id, body)
      expect([response.statusCode, response.json()]).toEqual([200, before])
    })
  })

  describe('fields of a body', () => {
    it('that are read-only are accepted and have no effect', async () => {
      const created = await app().sendJson('POST', PERSONAS, aPersona(READ_ONLY))
      const persona = created.json<PersonaResource>()
      expect(created.statusCode).toBe(201)
      expect(persona).toMatchObject({ generation_count: 0, version: 1 })
      expect(persona.id).not.toBe(READ_ONLY.id)
      expect(persona.created_at).not.toBe(READ_ONLY.created_at)
      for (const method of ['PUT', 'PATCH'] as const) {
        const response = await app().sendJson(method, PERSONAS + persona.id, { ...READ_ONLY, name: method })
        const { name, version, id, created_at, generation_count } = response.json<PersonaResource>()
        expect([name, id, created_at, generation_count]).toEqual([method, persona.id, persona.created_at, 0])
        expect(version).toBe(method === 'PUT' ? 2 : 3)
      }
      expect(created.headers).not.toHaveProperty('x-ignored-fields')
    })

    const UNKNOWN = { nickname: 'Sally', 'a/b~c': 1, '': 2, constructor: 3, toString: 4 }
    const POINTERS = ['/nickname', '/a~1b~0c', '/', '/constructor', '/toString']

    it.each(['POST', 'PUT', 'PATCH'] as const)('that are unknown are refused by name: %s', async (method) => {
      const before = await app().create()
      const url = method === 'POST' ? PERSONAS : PERSONAS + before.id
      const response = await app().sendJson(method, url, aPersona({ ...UNKNOWN, name: 'Changed' }))
      expect(pointersOf(response).sort()).toEqual([...POINTERS].sort())
      expect(response.body).toContain('is not a field of this resource')
      expect(await app().read(before.id)).toEqual(before)
    })

    it('that are unknown are refused by generations too', async () => {
      const { id } = await app().create()
      const response = await app().sendJson('POST', `${PERSONAS + id}/generations`, { count: 1, version: 1, amount: 2 })
      expect(pointersOf(response)).toEqual(['/version', '/amount'])
      expect((await app().read(id)).generation_count).toBe(0)
    })

    it.each(['handling=lenient', 'respond-async, handling=lenient; q=1', 'Handling = "lenient"'])(
      'that are unknown are ignored and named with Prefer: %s',
      async (prefer) => {
        const { id } = await app().create()
        const url = PERSONAS + id
        for (const [method, target, status] of [
          ['POST', PERSONAS, 201],
          ['PUT', url, 200],
          ['PATCH', url, 200],
        ] as const) {
          const response = await app().sendJson(method, target, aPersona({ nickname: 1, 'é,': 2 }), { prefer })
          expect(response.statusCode).toBe(status)
          expect(response.headers['x-ignored-fields']).toBe('nickname, %C3%A9%2C')
          expect(response.headers['preference-applied']).toBe('handling=lenient')
        }
        const counted = await app().sendJson('POST', `${url}/generations`, { amount: 2 }, { prefer })
        expect([counted.statusCode, counted.headers['x-ignored-fields']]).toEqual([200, 'amount'])
      },
    )

    it.each(['handling=strict', 'handling=strict, handling=lenient', 'lenient', 'handling'])(
      'that are unknown are refused with Prefer: %s',
      async (prefer) => {
        expect(pointersOf(await app().sendJson('POST', PERSONAS, aPersona({ x: 1 }), { prefer }))).toEqual(['/x'])
      },
    )

    it('are held against the rules with lenient handling all the same', async () => {
      const body = aPersona({ x: 1, name: 'a' })
      expect(pointersOf(await app().sendJson('POST', PERSONAS, body, { prefer: 'handling=lenient' }))).toEqual([
        '/name',
      ])
    })

    it('that are unknown and too many to be named are refused with lenient handling too', async () => {
      const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`field_${index}`, index]))
      const response = await app().sendJson('POST', PERSONAS, aPersona(many), { prefer: 'handling=lenient' })
      expect(pointersOf(response)).toHaveLength(1_000)
    })
  })
})
