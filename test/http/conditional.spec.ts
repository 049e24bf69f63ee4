import { describe, expect, it } from '@jest/globals'
import type { PersonaResource } from '../../src/personas/dto/persona.resource.js'
import { onEachDatabase } from '../support/databases.js'
import { type Method, PERSONAS, pointersOf, problemOf, UNKNOWN_ID, withApp } from './support.js'

onEachDatabase((kind) => {
  const app = withApp(kind)

  /** A persona at version 3 that generated twice, with its ETag. */
  async function aUsedPersona(): Promise<{ persona: PersonaResource; url: string; etag: string }> {
    const { id } = await app().create()
    const url = PERSONAS + id
    await app().sendJson('PUT', url, { name: 'Second' })
    await app().sendJson('PUT', url, { name: 'Third' })
    await app().sendJson('POST', `${url}/generations`, { count: 2 })
    const read = await app().get(url)
    return { persona: read.json<PersonaResource>(), url, etag: String(read.headers.etag) }
  }

  const writes: [Method, unknown][] = [
    ['PUT', { name: 'Written' }],
    ['PUT', {}],
    ['PATCH', { name: 'Written' }],
    ['PATCH', { style_preferences: { a: 1 } }],
    ['PATCH', {}],
    ['DELETE', undefined],
  ]

  describe('ETag', () => {
    it('is strong, and changes with the version and with the generation count', async () => {
      const { url, etag } = await aUsedPersona()
      const counted = await app().send('POST', `${url}/generations`)
      const put = await app().sendJson('PUT', url, { name: 'Fourth' })
      const patched = await app().sendJson('PATCH', url, { name: 'Fifth' })
      const tags = [etag, counted, put, patched].map((one) =>
        typeof one === 'string' ? one : String(one.headers.etag),
      )
      expect(new Set(tags).size).toBe(4)
      for (const tag of tags) expect(tag).toMatch(/^"\d+\.\d+"$/)
      expect((await app().get(url)).headers.etag).toBe(tags[3])
    })

    it('stays while nothing changes', async () => {
      const { url, etag } = await aUsedPersona()
      await app().sendJson('PUT', url, {})
      await app().sendJson('PUT', url, { name: 'x' })
      expect((await app().get(url)).headers.etag).toBe(etag)
    })
  })

  describe('If-None-Match', () => {
    it.each<[string, (etag: string) => string]>([
      ['the current tag', (etag) => etag],
      ['any', () => '*'],
      ['a list that has it', (etag) => `"other", ${etag} , "more"`],
      ['the current tag as a weak one', (etag) => `W/${etag}`],
    ])('answers 304 without a body, with the ETag: %s', async (_label, write) => {
      const { url, etag } = await aUsedPersona()
      const response = await app().get(url, { 'if-none-match': write(etag) })
      expect([response.statusCode, response.body, response.headers.etag]).toEqual([304, '', etag])
      expect(response.headers).toHaveProperty('x-request-id')
      expect(response.headers).not.toHaveProperty('content-type')
    })

    it.each<[string, (etag: string) => string]>([
      ['another tag', () => '"3.1"'],
      ['an older version', () => '"2.2"'],
      ['a list without it', () => '"1.0", "2.0"'],
      ['no tag at all', (etag) => etag.replaceAll('"', '')],
      ['garbage', () => '"3.2'],
      ['nothing', () => ''],
    ])('answers 200 with the persona: %s', async (_label, write) => {
      const { persona, url, etag } = await aUsedPersona()
      const response = await app().get(url, { 'if-none-match': write(etag) })
      expect([response.statusCode, response.json(), response.headers.etag]).toEqual([200, persona, etag])
    })

    it('answers 200 once the generation count changed', async () => {
      const { url, etag } = await aUsedPersona()
      await app().send('POST', `${url}/generations`)
      expect((await app().get(url, { 'if-none-match': etag })).statusCode).toBe(200)
    })

    it('answers 404 for an unknown persona', async () => {
      problemOf(await app().get(PERSONAS + UNKNOWN_ID, { 'if-none-match': '*' }), 404)
    })
  })

  describe('If-Match', () => {
    const currentTags: [string, (etag: string) => string][] = [
      ['the current tag', (etag) => etag],
      ['any', () => '*'],
      ['any, with spaces', () => '  * '],
      ['a list that has it', (etag) => `"1.0",${etag}, W/"9.9"`],
      ['the version with another generation count', () => '"3.0"'],
      ['the version with a later generation count', () => '"3.99999"'],
    ]
    // What is made from an older version may be merged: stale-edits.spec.ts. These name none that is known.
    const staleTags: [string, (etag: string) => string][] = [
      ['a newer version', () => '"4.2"'],
      ['a list without it', () => '"1.0", "2.0"'],
      ['the current tag as a weak one', (etag) => `W/${etag}`],
      ['a foreign tag', () => '"abc"'],
      ['no tag at all', (etag) => etag.replaceAll('"', '')],
      ['garbage', (etag) => `${etag} x`],
      ['a star among tags', () => '"1.0", *'],
      ['nothing', () => ''],
      ['a version beyond every integer', () => '"99999999999999999999.0"'],
      ['a version beyond the database', () => '"9999999999.0"'],
      ['version 0', () => '"0.0"'],
      ['more tags than a statement has parameters for', () => '"1.0","2.0",'.repeat(1_000)],
    ]
    const combine = (tags: typeof currentTags) =>
      writes.flatMap(([method, body]) => tags.map(([label, write]) => [method, body, label, write] as const))

    it.each(combine(currentTags))('lets the write through: %s %j, %s', async (method, body, _label, write) => {
      const { url, etag } = await aUsedPersona()
      const payload = body === undefined ? '' : JSON.stringify(body)
      const response = await app().sendText(method, url, payload, { 'if-match': write(etag) })
      expect(response.statusCode).toBe(method === 'DELETE' ? 204 : 200)
    })

    it.each(combine(staleTags))('answers 412, and nothing changes: %s %j, %s', async (method, body, _label, write) => {
      const { persona, url, etag } = await aUsedPersona()
      const payload = body === undefined ? '' : JSON.stringify(body)
      const response = await app().sendText(method, url, payload, { 'if-match': write(etag) })
      expect(problemOf(response, 412)).toEqual({
        type: 'urn:gator-personas:problem:stale-version',
        title: 'Stale version',
        status: 412,
        detail: expect.stringContaining('nothing was changed'),
        instance: url,
        current_etag: etag,
        conflicts: [],
      })
      expect(response.headers.etag).toBe(etag)
      expect((await app().get(url)).json()).toEqual(persona)
    })

    it('finds the current version among very many', async () => {
      const { url } = await aUsedPersona()
      const tags = Array.from({ length: 1_500 }, (_, index) => `"${index + 3}.0"`)
      const response = await app().sendJson('PUT', url, { name: 'Found' }, { 'if-match': tags.join(',') })
      expect(response.statusCode).toBe(200)
    })

    it('does not mind generations that were counted since', async () => {
      const { url, etag } = await aUsedPersona()
      await app().sendJson('POST', `${url}/generations`, { count: 500 })
      const response = await app().sendJson('PUT', url, { name: 'Editor' }, { 'if-match': etag })
      expect([response.statusCode, response.headers.etag]).toEqual([200, '"4.502"'])
    })

    it('lets one of two editors win, and the other with the ETag from the 412', async () => {
      const { url, etag } = await aUsedPersona()
      const edits = ['One', 'Two'].map((name) => app().sendJson('PUT', url, { name }, { 'if-match': etag }))
      const answers = await Promise.all(edits)
      expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, 412])
      const loser = answers.find(({ statusCode }) => statusCode === 412)
      const again = await app().sendJson('PUT', url, { name: 'Again' }, { 'if-match': String(loser?.headers.etag) })
      expect([again.statusCode, again.json<PersonaResource>().version]).toEqual([200, 5])
    })

    it('is not asked about a persona that is unknown, nor before the body is valid', async () => {
      const headers = { 'if-match': '"1.0"' }
      problemOf(await app().sendJson('PUT', PERSONAS + UNKNOWN_ID, { name: 'Nobody' }, headers), 404)
      const { url } = await aUsedPersona()
      expect(pointersOf(await app().sendJson('PUT', url, { name: 'a' }, headers))).toEqual(['/name'])
    })
  })

  describe('DELETE', () => {
    it('makes the persona inactive and leaves it readable', async () => {
      const { persona, url } = await aUsedPersona()
      const response = await app().send('DELETE', url)
      expect([response.statusCode, response.body]).toEqual([204, ''])
      const after = (await app().get(url)).json<PersonaResource>()
      expect(after).toEqual({ ...persona, is_active: false, version: 4, updated_at: after.updated_at })
      expect(Date.parse(after.updated_at)).toBeGreaterThanOrEqual(Date.parse(persona.updated_at))
    })

    it('answers 204 again when repeated, and changes nothing more', async () => {
      const { url } = await aUsedPersona()
      await app().send('DELETE', url)
      const once = await app().get(url)
      const again = await app().send('DELETE', url)
      expect(again.statusCode).toBe(204)
      expect((await app().get(url)).json()).toEqual(once.json())
      problemOf(await app().send('DELETE', url, { headers: { 'if-match': '"3.2"' } }), 412)
    })

    it('is undone by is_active', async () => {
      const { url } = await aUsedPersona()
      await app().send('DELETE', url)
      expect((await app().sendJson('PUT', url, { is_active: true })).json()).toMatchObject({
        is_active: true,
        version: 5,
      })
    })
  })

  describe('POST generations', () => {
    it.each<[string, string, number]>([
      ['no body', '', 1],
      ['{}', '{}', 1],
      ['null', '{"count":null}', 1],
      ['1', '{"count":1}', 1],
      ['1000', '{"count":1000}', 1_000],
      ['2.0, which is 2', '{"count":2.0}', 2],
    ])('adds the count: %s', async (_label, payload, added) => {
      const { persona, url } = await aUsedPersona()
      const response = await app().sendText('POST', `${url}/generations`, payload)
      expect(response.statusCode).toBe(200)
      expect(response.json()).toEqual({ ...persona, generation_count: 2 + added })
      expect(response.headers.etag).toBe(`"3.${2 + added}"`)
      expect((await app().get(url)).json()).toEqual(response.json())
    })

    it.each(['0', '-1', '1001', '1.5', '"1"', 'true', '[1]', '{}', '1e400', '9007199254740993', '-0'])(
      'refuses the count %s',
      async (count) => {
        const { persona, url } = await aUsedPersona()
        const response = await app().sendText('POST', `${url}/generations`, `{"count":${count}}`)
        expect(pointersOf(response)).toEqual(['/count'])
        expect((await app().get(url)).json()).toEqual(persona)
      },
    )

    it('is no change of the persona: version and updated_at stay', async () => {
      const before = await app().create()
      const counted = await app().send('POST', `${PERSONAS + before.id}/generations`)
      expect(counted.json()).toEqual({ ...before, generation_count: 1 })
      expect(await app().read(before.id)).toEqual(counted.json())
    })

    it('loses none of many at once', async () => {
      const { url } = await aUsedPersona()
      await Promise.all(Array.from({ length: 40 }, () => app().send('POST', `${url}/generations`)))
      expect((await app().get(url)).json()).toMatchObject({ generation_count: 42, version: 3 })
    })
  })
})
