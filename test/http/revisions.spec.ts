import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { PatchOperation } from '../../src/http/json-patch.js'
import type { PersonaResource } from '../../src/personas/dto/persona.resource.js'
import type { RevisionResource, RevisionWithStateResource } from '../../src/personas/revisions/revision.resource.js'
import { onEachDatabase } from '../support/databases.js'
import { applyJsonPatch } from './json-patch.js'
import { type Fields, PERSONAS, pointersOf, problemOf, type Response, UNKNOWN_ID, withApp } from './support.js'

const WORKER = 3
const WHO = { 'x-actor': 'studio@example.org', 'x-request-id': 'request-1' }
const NOBODY = { actor: null, request_id: null, worker: null }

onEachDatabase((kind) => {
  const app = withApp(kind, {}, WORKER)

  const revisionsOf = async (url: string, query = '?limit=100'): Promise<RevisionResource[]> =>
    (await app().get(`${url}/revisions${query}`)).json()
  const stateOf = async (url: string, version: number): Promise<PersonaResource> =>
    (await app().get(`${url}/revisions/${version}`)).json<RevisionWithStateResource>().state

  async function aPersona(fields: Fields = {}): Promise<{ url: string; first: PersonaResource }> {
    const first = await app().create(fields)
    return { url: PERSONAS + first.id, first }
  }

  /** A persona with a revision of every kind that a client can make: versions 1 to 4. */
  async function aHistory(): Promise<string> {
    const { url } = await aPersona()
    await app().sendJson('PUT', url, { name: 'Second', appearance: 'A long red coat' }, WHO)
    await app().sendJson('POST', `${url}/generations`, { count: 5 }, WHO)
    await app().sendJson('PATCH', url, { style_preferences: { a: { b: [1.5, 'ü/~'] } } }, WHO)
    await app().send('DELETE', url, { headers: WHO })
    return url
  }

  describe('the history', () => {
    it('has every change, with what changed, when, and by whom', async () => {
      const url = await aHistory()
      const listed = await revisionsOf(url)
      expect(listed.map(({ kind: what, version, changed }) => [what, version, changed])).toEqual([
        ['deleted', 4, ['is_active']],
        ['updated', 3, ['style_preferences']],
        ['generated', 2, ['generation_count']],
        ['updated', 2, ['name', 'appearance']],
        ['created', 1, expect.arrayContaining(['name', 'is_active'])],
      ])
      for (const { actor, request_id: request, worker } of listed.slice(0, 4))
        expect([actor, request, worker]).toEqual([WHO['x-actor'], WHO['x-request-id'], WORKER])
      expect(listed[4]).toMatchObject({ actor: null, request_id: expect.stringMatching(/./), worker: WORKER })
      const seqs = listed.map(({ seq }) => seq)
      expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => b - a))
      const times = listed.map(({ at }) => Date.parse(at))
      expect(times).toEqual([...times].sort((a, b) => b - a))
      expect(Math.abs(Number(times[0]) - Date.now())).toBeLessThan(60_000)
    })

    it('has what was refused or changed nothing nowhere', async () => {
      const { url } = await aPersona()
      await app().sendJson('PUT', url, {})
      await app().sendJson('PUT', url, { name: 'x' })
      await app().sendJson('PUT', url, { name: 'Stale' }, { 'if-match': '"7.0"' })
      await app().sendJson('PATCH', url, { style_preferences: { a: '\0' } })
      await app().sendJson('PATCH', url, { platform_restrictions: { a: 'no such' } })
      expect(await revisionsOf(url)).toHaveLength(1)
    })

    it("has writes past the service, as nobody's, whoever wrote before", async () => {
      const { url, first } = await aPersona()
      await app().sendJson('PUT', url, { name: 'Second' }, WHO)
      const where = `WHERE id = '${first.id}'`
      await app().execute(`UPDATE personas SET name = 'By hand', generation_count = 9 ${where}`)
      await app().execute(`UPDATE personas SET name = 'By hand' ${where}`)
      expect((await stateOf(url, 2)).name).toBe('By hand')
      await app().sendJson('PUT', url, { name: 'Third' }, WHO)
      await app().execute(`UPDATE personas SET generation_count = 10 ${where}`)
      await app().execute(`DELETE FROM personas ${where}`)
      const [erased, counted, third, byHand, second] = await revisionsOf(url)
      expect(erased).toMatchObject({ kind: 'erased', version: 3, changed: [], ...NOBODY })
      expect(counted).toMatchObject({ kind: 'generated', version: 3, ...NOBODY })
      expect(third).toMatchObject({ kind: 'updated', version: 3, changed: ['name'], actor: WHO['x-actor'] })
      expect(byHand).toMatchObject({ kind: 'updated', version: 2, changed: ['name', 'generation_count'], ...NOBODY })
      expect(second).toMatchObject({ kind: 'updated', version: 2, actor: WHO['x-actor'] })
      problemOf(await app().get(url), 404)
      problemOf(await app().sendJson('POST', `${url}/revisions/1/restore`, {}), 404)
      problemOf(await app().get(`${url}?as_of=${String(erased?.at)}`), 404)
      expect((await stateOf(url, 3)).generation_count).toBe(10)
    })

    it.each<[string, string, string | null]>([
      ['a name', ' Zoe <zoe@example.org> ', 'Zoe <zoe@example.org>'],
      ['one that is too long', 'x'.repeat(129), null],
      ['one that is not ASCII', 'Zo\u00eb', null],
      ['nothing', ' ', null],
    ])('takes from X-Actor %s', async (_label, given, taken) => {
      const { url } = await aPersona()
      await app().sendJson('PUT', url, { name: 'Second' }, { 'x-actor': given })
      expect((await revisionsOf(url))[0]?.actor).toBe(taken)
    })

    it('is read in pages, from the newest on', async () => {
      const url = await aHistory()
      const pages: number[][] = []
      for (let next: string | undefined = `${url}/revisions?limit=2`; next;) {
        const page: Response = await app().get(next)
        pages.push(page.json<RevisionResource[]>().map(({ version }) => version))
        expect(String(page.headers.link)).toContain(`<${url}/revisions?limit=2>; rel="first"`)
        next = /<([^>]+)>; rel="next"/.exec(String(page.headers.link))?.[1]
      }
      expect(pages).toEqual([[4, 3], [2, 2], [1]])
      const past = await app().get(`${url}/revisions?before=1`)
      expect([past.statusCode, past.json()]).toEqual([200, []])
      expect(pointersOf(await app().get(`${url}/revisions?limit=0&before=x`))).toEqual(['/limit', '/before'])
    })

    it('is there after a later migration', async () => {
      const url = await aHistory()
      await app().execute(`ALTER TABLE personas ADD COLUMN nickname TEXT NOT NULL DEFAULT 'none'`)
      try {
        expect(await stateOf(url, 2)).toMatchObject({ name: 'Second', generation_count: 5 })
        await app().sendJson('PUT', url, { is_active: true })
        expect((await stateOf(url, 5)).style_preferences).toEqual({ a: { b: [1.5, 'ü/~'] } })
      } finally {
        await app().execute('ALTER TABLE personas DROP COLUMN nickname')
      }
    })

    it('takes any place in the sequence', async () => {
      const { url } = await aPersona()
      const response = await app().get(`${url}/revisions?before=999999999999999`)
      expect([response.statusCode, response.json()]).toEqual([200, [expect.objectContaining({ kind: 'created' })]])
    })

    it('answers 404 for what it does not have', async () => {
      const { url } = await aPersona()
      const missing = [`${PERSONAS}${UNKNOWN_ID}/revisions`, `${PERSONAS}nobody/revisions`]
      const versions = ['2', '0', '01', '-1', 'x', '99999999999'].map((version) => `${url}/revisions/${version}`)
      for (const path of [...missing, ...versions, `${url}/revisions/1/diff/2`, `${PERSONAS}${UNKNOWN_ID}/revisions/1`])
        problemOf(await app().get(path), 404)
      expect(problemOf(await app().get(`${url}/revisions/2`), 404).type).toMatch(/revision-not-found$/)
    })
  })

  describe('the diff of two versions', () => {
    it('makes the one of the other', async () => {
      const url = await aHistory()
      for (const [from, to] of [
        [1, 4],
        [4, 1],
        [2, 3],
      ] as const) {
        const response = await app().get(`${url}/revisions/${from}/diff/${to}`)
        expect(response.headers['content-type']).toMatch(/^application\/json-patch\+json/)
        const patched = applyJsonPatch(await stateOf(url, from), response.json<PatchOperation[]>())
        expect(patched).toEqual(await stateOf(url, to))
      }
      expect((await app().get(`${url}/revisions/2/diff/3`)).json()).toContainEqual({
        op: 'add',
        path: '/style_preferences/a',
        value: { b: [1.5, 'ü/~'] },
      })
      expect((await app().get(`${url}/revisions/2/diff/2`)).json()).toEqual([])
    })
  })

  describe('restore', () => {
    it('makes every field what it was, as a change of its own', async () => {
      const url = await aHistory()
      const then = await stateOf(url, 2)
      const response = await app().send('POST', `${url}/revisions/2/restore`, {
        headers: { ...WHO, 'if-match': '"4.5"' },
      })
      const restored = response.json<PersonaResource>()
      expect([response.statusCode, response.headers.etag]).toEqual([200, '"5.5"'])
      expect(restored).toEqual({ ...then, version: 5, updated_at: restored.updated_at })
      expect((await app().get(url)).json()).toEqual(restored)
      expect((await revisionsOf(url))[0]).toMatchObject({ version: 5, changed: ['style_preferences', 'is_active'] })
    })

    it('is refused when it was made from an older version', async () => {
      const url = await aHistory()
      const before = (await app().get(url)).json<PersonaResource>()
      const headers = { 'if-match': '"3.5"' }
      const refused = problemOf(await app().send('POST', `${url}/revisions/1/restore`, { headers }), 412)
      expect(refused).toMatchObject({ current_etag: '"4.5"', conflicts: [{ pointer: '/is_active' }] })
      expect((await app().get(url)).json()).toEqual(before)
      problemOf(await app().send('POST', `${url}/revisions/9/restore`), 404)
      expect((await app().send('POST', `${url}/revisions/1/restore`)).statusCode).toBe(200)
    })
  })

  describe('as_of', () => {
    const asOf = (url: string, time: number) => app().get(`${url}?as_of=${new Date(time).toISOString()}`)

    it('answers what the persona was, from the millisecond of each change on', async () => {
      const { url } = await aPersona()
      for (const name of ['Second', 'Third']) {
        const before = Date.parse(String((await revisionsOf(url))[0]?.at))
        // The clock must have moved on, or two changes have the same time, of which the later one counts.
        while (Date.now() <= before + 2) await new Promise(setImmediate)
        await app().sendJson('PUT', url, { name })
      }
      const [third, second, first] = (await revisionsOf(url)).map(({ at }) => Date.parse(at))
      const versionAt = async (time: number) => (await asOf(url, time)).json<PersonaResource>().version
      for (const [version, at] of [
        [1, first],
        [2, second],
        [3, third],
      ] as const) {
        expect(await versionAt(Number(at))).toBe(version)
        if (version > 1) expect(await versionAt(Number(at) - 1)).toBe(version - 1)
      }
      problemOf(await asOf(url, Number(first) - 1), 404)
      const old = await asOf(url, Number(second))
      expect([old.json(), old.headers.etag]).toEqual([await stateOf(url, 2), '"2.0"'])
      expect(await versionAt(Date.now() + 3_600_000)).toBe(3)
      const offset = new Date(Number(second)).toISOString().replace('Z', '+00:00')
      expect((await app().get(`${url}?as_of=${offset}`)).json<PersonaResource>().version).toBe(2)
      // Of years that have no four digits, or that a database does not have.
      problemOf(await app().get(`${url}?as_of=0000-01-01T00:00:00Z`), 404)
      expect((await app().get(`${url}?as_of=9999-12-31T23:59:59-01:00`)).json<PersonaResource>().version).toBe(3)
    })

    it('says that it is not kept any more, where it is not', async () => {
      const { url, first } = await aPersona()
      await app().sendJson('PUT', url, { name: 'Second' })
      await app().execute(`DELETE FROM persona_revisions WHERE persona_id = '${first.id}' AND version = 1`)
      const problem = problemOf(await asOf(url, Date.parse(first.created_at) - 1), 404)
      expect(problem.type).toMatch(/revision-not-found$/)
    })

    it.each(['', 'yesterday', '2026-01-01', '2026-13-01T00:00:00Z', '2026-01-01T00:00:00', '1790000000000'])(
      'refuses %j',
      async (time) => {
        const { url } = await aPersona()
        expect(pointersOf(await app().get(`${url}?as_of=${time}`))).toEqual(['/as_of'])
      },
    )
  })

  it('leads from the first state to the current one, whatever was written', async () => {
    const value = fc.string({ unit: 'grapheme', minLength: 10, maxLength: 20 }).map((text) => text.replaceAll('\0', ''))
    const change = fc.oneof(
      fc.record({ appearance: value.map((text) => `${text} of ten characters`) }),
      fc.record({
        style_preferences: fc.dictionary(fc.constantFrom('a', '/', '~1', 'ü'), fc.jsonValue({ maxDepth: 2 })),
      }),
      fc.record({ is_active: fc.boolean(), base_image_path: fc.option(fc.constantFrom('a.png', 'ü"\\.png')) }),
      fc.constant({ count: 1 }),
      fc.constant({ sql: `generation_count = generation_count + 1, appearance = 'by hand, it''s "so"'` }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 8 }), async (changes) => {
        const { url, first } = await aPersona()
        const states = [first]
        for (const one of changes) {
          if ('sql' in one) await app().execute(`UPDATE personas SET ${one.sql} WHERE id = '${first.id}'`)
          else if ('count' in one) await app().send('POST', `${url}/generations`)
          else await app().sendJson('PATCH', url, one)
          states.push(await app().read(first.id))
        }
        const listed = (await revisionsOf(url)).reverse()
        const distinct = states.filter((state, n) => n === 0 || JSON.stringify(state) !== JSON.stringify(states[n - 1]))
        expect(listed.map(({ version }) => version)).toEqual(distinct.map(({ version }) => version))
        for (const [n, revision] of listed.entries()) {
          const [before, after] = [distinct[n - 1] ?? {}, distinct[n] ?? {}] as Fields[]
          const differing = Object.keys(after ?? {}).filter(
            (key) =>
              !['id', 'version', 'created_at', 'updated_at'].includes(key) &&
              (n > 0 ? JSON.stringify(after?.[key]) !== JSON.stringify(before?.[key]) : key !== 'generation_count'),
          )
          expect([...revision.changed].sort()).toEqual(differing.sort())
        }
        const versions = [...new Set(listed.map(({ version }) => version))]
        let state: unknown = await stateOf(url, 1)
        for (const [n, version] of versions.slice(1).entries()) {
          const patch = (await app().get(`${url}/revisions/${versions[n]}/diff/${version}`)).json<PatchOperation[]>()
          state = applyJsonPatch(state, patch)
          expect(state).toEqual(await stateOf(url, version))
        }
        expect(state).toEqual(await app().read(first.id))
      }),
      { numRuns: 12 },
    )
  })
})
