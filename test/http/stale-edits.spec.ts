import { describe, expect, it } from '@jest/globals'
import type { PersonaResource } from '../../src/personas/dto/persona.resource.js'
import { onEachDatabase } from '../support/databases.js'
import { type Fields, type Method, PERSONAS, pointersOf, problemOf, type Response, withApp } from './support.js'

const LOOK = 'A long red coat, a silver ring'

onEachDatabase((kind) => {
  const app = withApp(kind)
  const strict = withApp(kind, { REQUIRE_IF_MATCH: 'true' })

  /** A persona that was changed since version 1, which is what somebody edits. */
  async function aPersonaChangedBy(...changes: Fields[]): Promise<{ url: string; first: PersonaResource }> {
    const first = await app().create({ style_preferences: { a: 1, b: { c: 2 } }, platform_restrictions: { x: 'all' } })
    const url = PERSONAS + first.id
    for (const change of changes) expect((await app().sendJson('PUT', url, change)).statusCode).toBe(200)
    return { url, first }
  }

  const edit = (method: Method, url: string, body: unknown, tag = '"1.0"') =>
    app().sendJson(method, url, body, { 'if-match': tag })

  function expectMerged(response: Response, version: number, fields: Fields): void {
    expect([response.statusCode, response.headers['x-merged-base']]).toEqual([200, '1'])
    expect(response.headers.etag).toBe(`"${version}.0"`)
    expect(response.json()).toMatchObject({ ...fields, version })
  }

  function conflictsOf(response: Response): unknown {
    return problemOf(response, 412).conflicts
  }

  describe('an edit that was made from an older version', () => {
    it.each<[Method, Fields]>([
      ['PUT', { appearance: LOOK }],
      ['PATCH', { appearance: LOOK }],
      ['PATCH', { style_preferences: { b: { c: null } } }],
    ])('is merged when nobody has changed its fields since: %s %j', async (method, body) => {
      const { url, first } = await aPersonaChangedBy({ name: 'Second' }, { name: 'Third', is_active: false })
      const merged = method === 'PATCH' && body.style_preferences ? { style_preferences: { a: 1, b: {} } } : body
      const response = await edit(method, url, body)
      expectMerged(response, 4, { ...merged, name: 'Third', is_active: false })
      expect((await app().get(url)).json()).toEqual(response.json())
      expect(response.json<PersonaResource>().personality).toBe(first.personality)
    })

    it('takes back only what it changed when it sends back the whole', async () => {
      const { url, first } = await aPersonaChangedBy({ name: 'Second', style_preferences: { other: true } })
      const response = await edit('PUT', url, { ...first, appearance: LOOK })
      expectMerged(response, 3, { name: 'Second', style_preferences: { other: true }, appearance: LOOK })
    })

    it('is refused when somebody has changed one of its fields, with both values and the way on', async () => {
      const { url, first } = await aPersonaChangedBy({ name: 'Second', appearance: LOOK }, { is_active: false })
      const body = { name: 'Mine', style_preferences: { d: null }, appearance: 'Something else' }
      for (const method of ['PUT', 'PATCH'] as const) {
        const response = await edit(method, url, body)
        expect(problemOf(response, 412)).toMatchObject({
          type: 'urn:gator-personas:problem:stale-version',
          detail: expect.stringContaining('nothing was changed'),
          current_etag: '"3.0"',
          conflicts: [
            { pointer: '/name', base: first.name, current: 'Second', requested: 'Mine' },
            { pointer: '/appearance', base: first.appearance, current: LOOK, requested: 'Something else' },
          ],
        })
        expect(response.headers.etag).toBe('"3.0"')
      }
      expect(await app().read(first.id)).toMatchObject({ name: 'Second', version: 3 })
      expect((await edit('PUT', url, body, '"3.0"')).statusCode).toBe(200)
    })

    it('is refused as a patch of an object that somebody has changed elsewhere', async () => {
      const { url } = await aPersonaChangedBy({ style_preferences: { a: 2 } })
      const [conflict, ...others] = conflictsOf(await edit('PATCH', url, { style_preferences: { z: 1 } })) as Fields[]
      expect(others).toEqual([])
      expect(conflict).toEqual({
        pointer: '/style_preferences',
        base: { a: 1, b: { c: 2 } },
        current: { a: 2 },
        requested: { a: 1, b: { c: 2 }, z: 1 },
      })
    })

    it('may name a field that was changed as it was before in a PUT, but not in a PATCH', async () => {
      const { url, first } = await aPersonaChangedBy({ name: 'Second' })
      expect(conflictsOf(await edit('PATCH', url, { name: first.name }))).toHaveLength(1)
      expectMerged(await edit('PUT', url, { name: first.name }), 2, { name: 'Second' })
    })

    it.each<Method>(['PUT', 'PATCH'])('is merged when it changes nothing: %s', async (method) => {
      const { url } = await aPersonaChangedBy({ name: 'Second', style_preferences: { x: [1, { y: 2 }] } })
      expectMerged(await edit(method, url, {}), 2, { name: 'Second' })
    })

    // Of two who count from 5 to 6 with If-Match, one has not counted.
    it.each<Method>(['PUT', 'PATCH'])(
      'is in conflict when it wants what another has made of it: %s',
      async (method) => {
        const { url } = await aPersonaChangedBy({ name: 'Second' })
        const refused = await edit(method, url, { name: 'Second', is_active: false })
        expect(conflictsOf(refused)).toEqual([expect.objectContaining({ current: 'Second', requested: 'Second' })])
        expect((await app().get(url)).json()).toMatchObject({ version: 2, is_active: true })
      },
    )

    it('is refused when what was changed was changed back, for that was judged anew', async () => {
      const { url, first } = await aPersonaChangedBy({ name: 'Second' })
      await app().sendJson('PUT', url, { name: first.name })
      expect(conflictsOf(await edit('PUT', url, { name: 'Third' }))).toEqual([
        { pointer: '/name', base: first.name, current: first.name, requested: 'Third' },
      ])
      expectMerged(await edit('PUT', url, { base_image_path: 'b.png' }), 4, { base_image_path: 'b.png' })
    })

    it('keeps the rule of the ratings over the merged result', async () => {
      const { url } = await aPersonaChangedBy({ allowed_content_ratings: ['sfw', 'nsfw'] })
      expect(pointersOf(await edit('PUT', url, { default_content_rating: 'moderate' }))).toHaveLength(1)
      expectMerged(await edit('PUT', url, { default_content_rating: 'nsfw' }), 3, { default_content_rating: 'nsfw' })
    })

    it('is refused as a DELETE or a restore when anything was changed', async () => {
      const { url, first } = await aPersonaChangedBy({ name: 'Second' }, { base_image_path: 'b.png' })
      const conflicts = [
        { pointer: '/name', base: first.name, current: 'Second' },
        { pointer: '/base_image_path', base: null, current: 'b.png' },
      ]
      expect(conflictsOf(await edit('DELETE', url, {}))).toEqual(conflicts)
      expect(conflictsOf(await edit('POST', `${url}/revisions/1/restore`, {}))).toMatchObject(conflicts)
      await app().sendJson('PATCH', url, { name: first.name, base_image_path: null })
      expect(conflictsOf(await edit('DELETE', url, {}))).toHaveLength(2)
    })

    it('is refused when it may have been made from several versions, or from one that is not kept', async () => {
      const { url, first } = await aPersonaChangedBy({ name: 'Second' }, { name: 'Third' })
      const change = { appearance: LOOK }
      expect(conflictsOf(await edit('PUT', url, change, '"1.0", "2.0"'))).toEqual([])
      await app().execute(`DELETE FROM persona_revisions WHERE persona_id = '${first.id}' AND version = 1`)
      expect(conflictsOf(await edit('PUT', url, change))).toEqual([])
      expect((await edit('PUT', url, change, '"2.0", "2.5"')).headers['x-merged-base']).toBe('2')
    })

    it('is merged as long as no more than 5,000 changes were made since', async () => {
      const { url, first } = await aPersonaChangedBy({ name: 'Second' })
      await app().execute(`
        WITH RECURSIVE numbers (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < 4999)
        INSERT INTO persona_revisions (persona_id, version, kind, changed, "schema", state, at)
        SELECT persona_id, version, kind, changed, "schema", state, at FROM persona_revisions, numbers
        WHERE persona_id = '${first.id}' AND version = 2`)
      expectMerged(await edit('PUT', url, { appearance: LOOK }), 3, { name: 'Second' })
      expectMerged(await edit('PUT', url, { base_image_path: 'b.png' }), 4, { appearance: LOOK })
      expect(conflictsOf(await edit('PUT', url, { base_image_status: 'draft' }))).toEqual([])
      const response = await edit('PUT', url, { base_image_status: 'draft' }, '"2.0"')
      expect(response.headers['x-merged-base']).toBe('2')
    })

    it('is held against what is there when the history has a hole', async () => {
      const { url, first } = await aPersonaChangedBy({ name: 'Second' }, { appearance: LOOK })
      await app().execute(`DELETE FROM persona_revisions WHERE persona_id = '${first.id}' AND version = 2`)
      expect(conflictsOf(await edit('PUT', url, { name: 'Third' }))).toHaveLength(1)
      expectMerged(await edit('PUT', url, { base_image_path: 'b.png' }), 4, { name: 'Second' })
    })

    it('is held against everything that the version was, when somebody wrote past the service', async () => {
      const { url, first } = await aPersonaChangedBy()
      await app().execute(`UPDATE personas SET appearance = '${LOOK}' WHERE id = '${first.id}'`)
      await app().send('POST', `${url}/generations`)
      await app().sendJson('PUT', url, { name: 'Second' })
      expect(conflictsOf(await edit('PUT', url, { appearance: 'Something else' }))).toHaveLength(1)
      expect(conflictsOf(await edit('PUT', url, { appearance: first.appearance }))).toHaveLength(1)
      const merged = await edit('PUT', url, { personality: 'Calm and exact, with dry humour' })
      expect([merged.statusCode, merged.headers.etag]).toEqual([200, '"3.1"'])
    })
  })

  describe('REQUIRE_IF_MATCH', () => {
    it('answers a blind change with 428, before anything else, and changes nothing', async () => {
      const persona = await strict().create()
      const url = PERSONAS + persona.id
      const calls: [Method, string, string][] = [
        ['PUT', url, '{"name":"Blind"}'],
        ['PUT', url, '{"name":""}'],
        ['PATCH', url, '{}'],
        ['DELETE', url, ''],
        ['POST', `${url}/revisions/1/restore`, ''],
      ]
      for (const [method, target, body] of calls) {
        const problem = problemOf(await strict().sendText(method, target, body), 428)
        expect(problem.type).toBe('urn:gator-personas:problem:precondition-required')
      }
      expect(await strict().read(persona.id)).toEqual(persona)
    })

    it('lets through what names a version, or any, and what overwrites nothing', async () => {
      const { id } = await strict().create()
      const url = PERSONAS + id
      const answers = [
        await strict().sendJson('PUT', url, { name: 'Second' }, { 'if-match': '"1.0"' }),
        await strict().sendJson('PATCH', url, { name: 'Third' }, { 'if-match': '*' }),
        await strict().send('POST', `${url}/generations`),
        await strict().send('DELETE', url, { headers: { 'if-match': '"3.1"' } }),
      ]
      expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 204])
    })
  })
})
