import { describe, expect, it } from '@jest/globals'
import type { PersonaResource } from '../../src/personas/dto/persona.resource.js'
import { onEachDatabase } from '../support/databases.js'
import { aPersona, type Fields, PERSONAS, pointersOf, problemOf, type Response, withApp, without } from './support.js'
import { ACCEPTED, objectOfBytes, objectOfDepth, REFUSED } from './validation-cases.js'

const METHODS = ['POST', 'PUT', 'PATCH'] as const
type Write = (typeof METHODS)[number]

onEachDatabase((kind) => {
  const app = withApp(kind)

  /** Sends fields the way that the method takes them: a create needs the required ones too. */
  function write(method: Write, persona: PersonaResource, fields: Fields): Promise<Response> {
    if (method === 'POST') return app().sendJson('POST', PERSONAS, aPersona(fields))
    return app().sendJson(method, PERSONAS + persona.id, fields)
  }

  describe.each(METHODS)('the rules of the fields on %s', (method) => {
    it.each(ACCEPTED)('accept %s', async (_label, fields, answered = fields) => {
      const response = await write(method, await app().create(), fields)
      expect(response.statusCode).toBe(method === 'POST' ? 201 : 200)
      expect(response.json()).toMatchObject(answered)
      expect(await app().read(response.json<PersonaResource>().id)).toEqual(response.json())
    })

    it.each(REFUSED)('refuse %s', async (_label, fields, pointers) => {
      const before = await app().create()
      const response = await write(method, before, fields)
      expect(pointersOf(response)).toEqual(pointers)
      expect(await app().read(before.id)).toEqual(before)
    })

    it('tell all faults at once, each with its pointer and a sentence', async () => {
      const fields = {
        name: '<',
        appearance: 'short',
        personality: 5,
        content_themes: ['fine', 'violence', 7],
        style_preferences: [],
        default_content_rating: 'nsfw',
        allowed_content_ratings: ['sfw', 'moderate'],
        platform_restrictions: { a: 'x' },
        base_appearance_description: 'x'.repeat(5001),
        base_image_path: false,
        appearance_locked: 'no',
        base_image_status: null,
        is_active: 1,
        nickname: 'Sally',
      }
      const response = await write(method, await app().create(), fields)
      const problem = problemOf(response, 422)
      const isNullRefused = method === 'PATCH'
      expect(problem.errors?.map(({ pointer }) => pointer).sort()).toEqual(
        [
          '/appearance',
          '/appearance_locked',
          '/base_appearance_description',
          ...(isNullRefused ? ['/base_image_status'] : []),
          '/base_image_path',
          '/content_themes/1',
          '/content_themes/2',
          '/default_content_rating',
          '/is_active',
          '/name',
          '/name',
          '/nickname',
          '/personality',
          '/platform_restrictions/a',
          '/style_preferences',
        ].sort(),
      )
      for (const { detail } of problem.errors ?? []) expect(detail).toMatch(/^("nsfw" )?must |^is /)
      const [first] = problem.errors ?? []
      expect(problem.detail).toContain(`${first?.pointer.slice(1) ?? ''} ${first?.detail ?? ''}`)
      expect(problem).toMatchObject({
        type: 'urn:gator-personas:problem:validation-failed',
        title: 'Validation failed',
        instance: response.raw.req.url?.split('?')[0],
      })
    })

    it('go on accepting what is right after a refusal of each kind', async () => {
      const persona = await app().create()
      for (const [, fields] of REFUSED) await write(method, persona, fields)
      expect((await write(method, persona, { name: 'Fine again' })).statusCode).toBe(method === 'POST' ? 201 : 200)
    })
  })

  describe('the required fields', () => {
    const names = ['name', 'appearance', 'personality']

    it.each([
      ['absent', {}],
      ['null', { name: null, appearance: null, personality: null }],
    ])('are required by a create: %s', async (_label, body) => {
      expect(pointersOf(await app().sendJson('POST', PERSONAS, body))).toEqual(names.map((name) => `/${name}`))
    })

    it.each(names)('are told one by one: %s', async (name) => {
      const response = await app().sendJson('POST', PERSONAS, without(aPersona(), name))
      expect(problemOf(response, 422)).toMatchObject({
        detail: `${name} is required.`,
        errors: [{ pointer: `/${name}`, detail: 'is required' }],
      })
    })
  })

  describe('the default rating and the allowed ratings', () => {
    it.each<[string, Fields, number]>([
      ['the default is changed to an allowed one', { default_content_rating: 'moderate' }, 200],
      ['the default is changed to one that is not', { default_content_rating: 'nsfw' }, 422],
      ['the default stays allowed', { allowed_content_ratings: ['sfw'] }, 200],
      ['the default is no longer allowed', { allowed_content_ratings: ['moderate', 'nsfw'] }, 422],
      ['both change', { default_content_rating: 'nsfw', allowed_content_ratings: ['nsfw'] }, 200],
      ['both change and differ', { default_content_rating: 'sfw', allowed_content_ratings: ['nsfw'] }, 422],
      ['neither is touched', { name: 'Only the name' }, 200],
    ])('are held together over what is stored: %s', async (_label, fields, status) => {
      for (const method of ['PUT', 'PATCH'] as const) {
        const before = await app().create({ allowed_content_ratings: ['sfw', 'moderate'] })
        for (const body of [fields, { ...fields, style_preferences: { a: 1 } }]) {
          const response = await app().sendJson(method, PERSONAS + before.id, body)
          expect(response.statusCode).toBe(status)
          if (status === 200) continue
          expect(pointersOf(response)).toEqual(['/default_content_rating'])
          expect(problemOf(response, 422).detail).toMatch(/^default_content_rating "\w+" must be one of/)
          expect(await app().read(before.id)).toEqual(before)
        }
      }
    })

    it.each<[string, Fields, number]>([
      ['a default beyond the default of the allowed', { default_content_rating: 'nsfw' }, 422],
      ['allowed ones without the default of the default', { allowed_content_ratings: ['nsfw'] }, 422],
      ['both', { default_content_rating: 'nsfw', allowed_content_ratings: ['sfw', 'nsfw'] }, 201],
    ])('are held together by a create: %s', async (_label, fields, status) => {
      const response = await app().sendJson('POST', PERSONAS, aPersona(fields))
      expect(response.statusCode).toBe(status)
      if (status === 422) expect(pointersOf(response)).toEqual(['/default_content_rating'])
      const withAnother = await app().sendJson('POST', PERSONAS, aPersona({ ...fields, name: 'a' }))
      expect(pointersOf(withAnother)).toEqual(status === 422 ? ['/name', '/default_content_rating'] : ['/name'])
    })
  })

  describe('a merge patch', () => {
    it('cannot take style_preferences beyond 64 KiB or 32 levels bit by bit', async () => {
      const { id } = await app().create({ style_preferences: objectOfBytes(65_536) })
      const wider = await app().sendJson('PATCH', PERSONAS + id, { style_preferences: { b: 1 } })
      expect(pointersOf(wider)).toEqual(['/style_preferences'])
      const other = await app().create({ style_preferences: objectOfDepth(32) })
      const deeper = await app().sendJson('PATCH', PERSONAS + other.id, { style_preferences: objectOfDepth(33) })
      expect(pointersOf(deeper)).toEqual(['/style_preferences'])
      expect(await app().read(other.id)).toEqual(other)
    })

    it('may make room and use it at once', async () => {
      const { id } = await app().create({ style_preferences: objectOfBytes(65_536) })
      const response = await app().sendJson('PATCH', PERSONAS + id, { style_preferences: { a: null, b: 1 } })
      expect(response.json<PersonaResource>().style_preferences).toEqual({ b: 1 })
    })
  })
})
