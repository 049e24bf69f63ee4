import { describe, expect, it } from '@jest/globals'
import { onEachDatabase } from '../support/databases.js'
import { aPersona, type Method, PERSONAS, problemOf, UNKNOWN_ID, withApp, without } from './support.js'

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

onEachDatabase((kind) => {
  const app = withApp(kind)

  describe('POST /api/v1/personas/', () => {
    it('answers 201 with the persona, its Location and its ETag', async () => {
      const before = Date.now()
      const response = await app().sendJson('POST', PERSONAS, aPersona())
      const persona = response.json<Record<string, unknown>>()

      expect(response.statusCode).toBe(201)
      expect(response.headers['content-type']).toBe('application/json; charset=utf-8')
      expect(response.headers.location).toBe(`/api/v1/personas/${String(persona.id)}`)
      expect(response.headers.etag).toMatch(/^"[\x21\x23-\x7e]+"$/)
      expect(persona).toEqual({
        ...aPersona(),
        id: expect.stringMatching(UUID_V7),
        content_themes: [],
        style_preferences: {},
        default_content_rating: 'sfw',
        allowed_content_ratings: ['sfw'],
        platform_restrictions: {},
        base_appearance_description: null,
        base_image_path: null,
        appearance_locked: false,
        base_image_status: 'pending_upload',
        is_active: true,
        generation_count: 0,
        version: 1,
        created_at: expect.stringMatching(TIMESTAMP),
        updated_at: persona.created_at,
      })
      expect(Date.parse(String(persona.created_at))).toBeGreaterThanOrEqual(before)
      expect(Date.parse(String(persona.created_at))).toBeLessThanOrEqual(Date.now())
    })

    it('answers what GET at its Location answers', async () => {
      const created = await app().sendJson('POST', PERSONAS, aPersona({ content_themes: ['a', 'b'] }))
      const read = await app().get(String(created.headers.location))
      expect(read.json()).toEqual(created.json())
      expect(read.headers.etag).toBe(created.headers.etag)
    })

    it('makes ids that sort by time', async () => {
      const ids = []
      for (let i = 0; i < 20; i++) ids.push((await app().create()).id)
      expect([...ids].sort()).toEqual(ids)
    })

    it('gives null the meaning of absent where there is a default', async () => {
      const defaults = {
        content_themes: null,
        style_preferences: null,
        default_content_rating: null,
        allowed_content_ratings: null,
        platform_restrictions: null,
        base_appearance_description: null,
        base_image_path: null,
        appearance_locked: null,
        base_image_status: null,
        is_active: null,
      }
      const ownOf = (persona: object) => without(persona, 'id', 'created_at', 'updated_at')
      expect(ownOf(await app().create(defaults))).toEqual(ownOf(await app().create()))
    })
  })

  describe('ids in a path', () => {
    it.each<[string, (id: string) => string]>([
      ['canonical', (id) => id],
      ['upper case', (id) => id.toUpperCase()],
      ['without dashes', (id) => id.replaceAll('-', '')],
      ['upper case without dashes', (id) => id.replaceAll('-', '').toUpperCase()],
      ['some dashes', (id) => id.replace('-', '')],
    ])('are taken in any form: %s', async (_label, write) => {
      const persona = await app().create()
      const url = PERSONAS + write(persona.id)
      expect((await app().get(url)).json()).toEqual(persona)
      expect((await app().sendJson('PUT', url, { name: 'Put' })).json()).toMatchObject({ id: persona.id, name: 'Put' })
      expect((await app().sendJson('PATCH', url, { name: 'Patch' })).json()).toMatchObject({ id: persona.id })
      expect((await app().send('POST', `${url}/generations`)).json()).toMatchObject({ id: persona.id })
      expect((await app().send('DELETE', url)).statusCode).toBe(204)
    })

    const calls: [Method, string, unknown][] = [
      ['GET', '', undefined],
      ['PUT', '', { name: 'Nobody' }],
      ['PUT', '', {}],
      ['PATCH', '', { name: 'Nobody' }],
      ['PATCH', '', { style_preferences: { a: 1 } }],
      ['PATCH', '', {}],
      ['DELETE', '', undefined],
      ['POST', '/generations', { count: 2 }],
    ]
    const strangers = [UNKNOWN_ID, 'nobody', '42', 'null', `${UNKNOWN_ID}0`, UNKNOWN_ID.slice(1), '-'.repeat(36)]
    const notFound = strangers.flatMap((id) => calls.map((call) => [id, ...call] as const))

    it.each(notFound)('that no persona has: %s, %s%s', async (id, method, path, body) => {
      const url = PERSONAS + id + path
      const response = body === undefined ? await app().send(method, url) : await app().sendJson(method, url, body)
      expect(problemOf(response, 404)).toEqual({
        type: 'urn:gator-personas:problem:persona-not-found',
        title: 'Persona not found',
        status: 404,
        detail: `Persona ${id} not found`,
        instance: url,
      })
    })

    it('that are unknown are told in canonical form', async () => {
      const response = await app().get(PERSONAS + UNKNOWN_ID.replaceAll('-', '').toUpperCase())
      expect(problemOf(response, 404).detail).toBe(`Persona ${UNKNOWN_ID} not found`)
    })

    it.each([
      ['very long', 'x'.repeat(10_000)],
      ['percent-encoded', '%F0%9F%98%80'],
      ['NUL', '%00'],
      ['an encoded slash', 'a%2Fb'],
      ['a quote', "'%20OR%201=1"],
    ])('that are strange are unknown ones: %s', async (_label, id) => {
      expect(problemOf(await app().get(PERSONAS + id), 404).detail).toMatch(/^Persona .+ not found$/s)
    })
  })

  describe('a trailing slash', () => {
    const urls = ['/health', '/health/live', '/health/ready', '/api/v1/personas', '/docs', '/openapi.json']

    it.each(urls)('makes no difference and redirects nobody: GET %s', async (url) => {
      const [without, withSlash] = [await app().get(url), await app().get(`${url}/`)]
      expect([without.statusCode, withSlash.statusCode]).toEqual([200, 200])
      expect(withSlash.headers['content-type']).toBe(without.headers['content-type'])
    })

    it.each(['', '/'])('makes no difference on any call of a persona: "%s"', async (slash) => {
      const list = `/api/v1/personas${slash}`
      const created = await app().sendJson('POST', list, aPersona())
      expect(created.statusCode).toBe(201)
      const url = `/api/v1/personas/${created.json<{ id: string }>().id}`
      const statuses = [
        await app().get(`${list}?limit=1`),
        await app().get(url + slash),
        await app().sendJson('PUT', url + slash, { name: 'Put' }),
        await app().sendJson('PATCH', url + slash, { name: 'Patch' }),
        await app().send('POST', `${url}/generations${slash}`),
        await app().send('DELETE', url + slash),
      ].map((response) => response.statusCode)
      expect(statuses).toEqual([200, 200, 200, 200, 200, 204])
    })
  })

  describe('HEAD', () => {
    const namesOf = (headers: object) => Object.keys(headers).sort()

    it.each(['/', '/health/live', '/openapi.json', '/docs', PERSONAS, PERSONAS + UNKNOWN_ID])(
      'answers what GET does, without the body: %s',
      async (url) => {
        const [get, head] = [await app().get(url), await app().send('HEAD', url)]
        expect(head.statusCode).toBe(get.statusCode)
        expect(head.body).toBe('')
        expect(namesOf(head.headers)).toEqual(namesOf(get.headers))
      },
    )

    it('has the ETag of a persona, and 304 for a client that has it', async () => {
      const { id } = await app().create()
      const head = await app().send('HEAD', PERSONAS + id)
      const get = await app().get(PERSONAS + id)
      expect([head.statusCode, head.body, head.headers.etag]).toEqual([200, '', get.headers.etag])
      expect(head.headers['content-length']).toBe(get.headers['content-length'])
      const again = await app().send('HEAD', PERSONAS + id, { headers: { 'if-none-match': String(get.headers.etag) } })
      expect(again.statusCode).toBe(304)
    })
  })

  describe('other methods', () => {
    const allow: [string, string][] = [
      ['/', 'GET, HEAD, OPTIONS'],
      ['/health', 'GET, HEAD, OPTIONS'],
      ['/health/live', 'GET, HEAD, OPTIONS'],
      ['/health/ready', 'GET, HEAD, OPTIONS'],
      ['/docs', 'GET, HEAD, OPTIONS'],
      ['/metrics', 'GET, HEAD, OPTIONS'],
      ['/openapi.json', 'GET, HEAD, OPTIONS'],
      [PERSONAS, 'GET, HEAD, POST, OPTIONS'],
      [PERSONAS.slice(0, -1), 'GET, HEAD, POST, OPTIONS'],
      [PERSONAS + UNKNOWN_ID, 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS'],
      [`${PERSONAS + UNKNOWN_ID}/`, 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS'],
      [`${PERSONAS + UNKNOWN_ID}/generations`, 'POST, OPTIONS'],
      [`${PERSONAS + UNKNOWN_ID}/generations/`, 'POST, OPTIONS'],
    ]

    it.each(allow)('OPTIONS %s answers 204 with Allow: %s', async (url, expected) => {
      const response = await app().send('OPTIONS', url)
      expect([response.statusCode, response.body, response.headers.allow]).toEqual([204, '', expected])
    })

    const methods: Method[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
    const refused = allow.flatMap(([url, allowed]) =>
      methods.filter((method) => !allowed.includes(method)).map((method) => [method, url, allowed] as const),
    )

    it.each(refused)('%s %s answers 405 with Allow: %s', async (method, url, expected) => {
      const response = await app().send(method, url)
      expect(problemOf(response, 405)).toEqual({
        type: 'urn:gator-personas:problem:method-not-allowed',
        title: 'Method not allowed',
        status: 405,
        detail: `${method} is not allowed here; allowed are ${expected}.`,
        instance: url,
      })
      expect(response.headers.allow).toBe(expected)
    })

    it.each(['TRACE', 'PROPFIND', 'PURGE', 'QUERY', 'SEARCH', 'LOCK'])('%s is one of them', async (method) => {
      const response = await app().send(method, PERSONAS)
      problemOf(response, 405)
      expect(response.headers.allow).toBe('GET, HEAD, POST, OPTIONS')
    })

    it('are refused before the body is looked at', async () => {
      problemOf(await app().sendText('PUT', PERSONAS, '{'), 405)
      problemOf(await app().sendText('PUT', PERSONAS, 'x', { 'content-type': 'text/plain' }), 405)
    })
  })
})
