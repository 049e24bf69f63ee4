import { describe, expect, it } from '@jest/globals'
import type { PersonaResource } from '../../src/personas/dto/persona.resource.js'
import { onEachDatabase } from '../support/databases.js'
import { PERSONAS, pointersOf, problemOf, type Response, withApp } from './support.js'

const namesOf = (response: Response) => response.json<PersonaResource[]>().map(({ name }) => name)

/** The targets of a Link header, by relation. */
function linksOf(response: Response): Record<string, string> {
  const links = String(response.headers.link).matchAll(/<([^>]+)>; rel="(\w+)"/g)
  return Object.fromEntries([...links].map(([, url = '', rel = '']) => [rel, url]))
}

onEachDatabase((kind) => {
  describe('an empty list', () => {
    const app = withApp(kind)

    it('is an empty array with a count of 0 and no next page', async () => {
      const response = await app().get(PERSONAS)
      expect([response.statusCode, response.body, response.headers['x-total-count']]).toEqual([200, '[]', '0'])
      expect(Object.keys(linksOf(response))).toEqual(['first'])
    })
  })

  describe('a list of several pages', () => {
    const app = withApp(kind)
    const all: string[] = []

    it('is a bare array, newest first, of what GET of each persona answers', async () => {
      for (let i = 0; i < 23; i++) all.unshift((await app().create({ name: `Persona ${i}` })).name)
      const response = await app().get(`${PERSONAS}?limit=100`)
      expect(namesOf(response)).toEqual(all)
      const [newest] = response.json<PersonaResource[]>()
      expect(await app().read(newest?.id ?? '')).toEqual(newest)
    })

    it('has ten a page unless the client says otherwise', async () => {
      const response = await app().get(PERSONAS)
      expect(namesOf(response)).toEqual(all.slice(0, 10))
      expect(response.headers['x-total-count']).toBe('23')
    })

    it.each<[string, number, number, Record<string, [number, number]>]>([
      ['the first page', 0, 10, { first: [0, 10], next: [10, 10] }],
      ['a page in the middle', 10, 10, { first: [0, 10], prev: [0, 10], next: [20, 10] }],
      ['the last page', 20, 10, { first: [0, 10], prev: [10, 10] }],
      ['a page that ends with the list', 13, 10, { first: [0, 10], prev: [3, 10] }],
      ['a page that leaves one', 12, 10, { first: [0, 10], prev: [2, 10], next: [22, 10] }],
      ['less than a page from the start', 4, 10, { first: [0, 10], prev: [0, 10], next: [14, 10] }],
      ['everything at once', 0, 100, { first: [0, 100] }],
      ['a page of one', 0, 1, { first: [0, 1], next: [1, 1] }],
      ['beyond the end', 23, 10, { first: [0, 10], prev: [13, 10] }],
      ['far beyond the end', 2_147_483_647, 10, { first: [0, 10], prev: [2_147_483_637, 10] }],
    ])('links and counts: %s', async (_label, skip, limit, expected) => {
      const response = await app().get(`${PERSONAS}?skip=${skip}&limit=${limit}`)
      expect(namesOf(response)).toEqual(all.slice(skip, skip + limit))
      expect(response.headers['x-total-count']).toBe('23')
      const url = ([offset, size]: [number, number]) => `${PERSONAS}?skip=${offset}&limit=${size}&active_only=true`
      const links = Object.fromEntries(Object.entries(expected).map(([rel, page]) => [rel, url(page)]))
      expect(linksOf(response)).toEqual(links)
    })

    it('is walked to its end and back by following the links', async () => {
      const names: string[] = []
      const visited: string[] = []
      for (let url: string | undefined = `${PERSONAS}?limit=4`; url !== undefined;) {
        visited.push(url)
        const page: Response = await app().get(url)
        names.push(...namesOf(page))
        url = linksOf(page).next
      }
      expect(names).toEqual(all)
      expect(visited).toHaveLength(6)
      const last: Response = await app().get(visited.at(-1) ?? '')
      expect(namesOf(await app().get(linksOf(last).prev ?? ''))).toEqual(all.slice(16, 20))
    })

    it('leaves out inactive personas unless they are asked for, and its links keep asking', async () => {
      const { id, name } = await app().create({ name: 'Inactive' })
      await app().send('DELETE', PERSONAS + id)
      const active = await app().get(`${PERSONAS}?limit=100`)
      expect([namesOf(active), active.headers['x-total-count']]).toEqual([all, '23'])
      const every = await app().get(`${PERSONAS}?limit=2&active_only=false`)
      expect([namesOf(every)[0], every.headers['x-total-count']]).toEqual([name, '24'])
      expect(linksOf(every).next).toBe(`${PERSONAS}?skip=2&limit=2&active_only=false`)
      await app().sendJson('PATCH', PERSONAS + id, { is_active: true })
      expect(namesOf(await app().get(PERSONAS))[0]).toBe(name)
    })
  })

  describe('personas of the same millisecond', () => {
    const app = withApp(kind)

    it('are ordered by id, on every page', async () => {
      const ids: string[] = []
      for (let i = 0; i < 6; i++) ids.unshift((await app().create()).id)
      await app().execute('UPDATE personas SET created_at = (SELECT min(created_at) FROM personas)')
      const idsOf = (response: Response) => response.json<PersonaResource[]>().map(({ id }) => id)
      const whole = await app().get(PERSONAS)
      expect(new Set(whole.json<PersonaResource[]>().map((persona) => persona.created_at)).size).toBe(1)
      expect(idsOf(whole)).toEqual(ids)
      const pages = [await app().get(`${PERSONAS}?limit=3`), await app().get(`${PERSONAS}?skip=3&limit=3`)]
      expect(pages.flatMap(idsOf)).toEqual(ids)
    })
  })

  describe('query parameters of the list', () => {
    const app = withApp(kind)

    it.each([
      ['limit=1'],
      ['limit=100'],
      ['skip=0'],
      ['skip=2147483647'],
      ['active_only=true'],
      ['active_only=false'],
      ['active_only=True'],
      ['active_only=1'],
      ['active_only=0'],
      ['skip=007'],
    ])('that are accepted: %s', async (query) => {
      expect((await app().get(`${PERSONAS}?${query}`)).statusCode).toBe(200)
    })

    it.each([
      ['nothing=else'],
      ['limits=1000'],
      ['SKIP=-1'],
      ['__proto__=1&constructor=2&toString=3'],
      ['skip[]=-1'],
      ['=x&&%20'],
    ])('that are unknown are ignored: %s', async (query) => {
      const response = await app().get(`${PERSONAS}?${query}`)
      expect([response.statusCode, response.body]).toEqual([200, '[]'])
    })

    it.each([
      ['limit=0', '/limit'],
      ['limit=101', '/limit'],
      ['limit=-1', '/limit'],
      ['limit=abc', '/limit'],
      ['limit=', '/limit'],
      ['limit=1.5', '/limit'],
      ['limit=1e1', '/limit'],
      ['limit=0x10', '/limit'],
      ['limit=%2010', '/limit'],
      ['limit=99999999999999999999', '/limit'],
      ['limit=NaN', '/limit'],
      ['limit=true', '/limit'],
      ['limit=null', '/limit'],
      ['limit=%00', '/limit'],
      ['limit=1&limit=2', '/limit'],
      ['skip=-1', '/skip'],
      ['skip=2147483648', '/skip'],
      ['skip=1.0', '/skip'],
      ['skip=Infinity', '/skip'],
      ['skip=', '/skip'],
      ['skip=0&skip=0', '/skip'],
      ['active_only=maybe', '/active_only'],
      ['active_only=', '/active_only'],
      ['active_only=2', '/active_only'],
      ['active_only=null', '/active_only'],
      ['active_only=true&active_only=true', '/active_only'],
    ])('that are refused: %s', async (query, pointer) => {
      const response = await app().get(`${PERSONAS}?${query}`)
      const problem = problemOf(response, 422)
      expect(problem).toMatchObject({ type: 'urn:gator-personas:problem:validation-failed', instance: PERSONAS })
      expect(problem.errors).toEqual([{ pointer, detail: expect.stringMatching(/^must be /) }])
      expect(problem.detail).toBe(`${pointer.slice(1)} ${problem.errors?.[0]?.detail ?? ''}.`)
    })

    it('are all told at once', async () => {
      expect(pointersOf(await app().get(`${PERSONAS}?active_only=x&skip=-1&limit=0`)).sort()).toEqual([
        '/active_only',
        '/limit',
        '/skip',
      ])
    })
  })
})
