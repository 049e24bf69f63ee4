import { beforeAll, describe, expect, it } from '@jest/globals'
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
  describe('lists that are asked for more than a page', () => {
    const app = withApp(kind)
    let ids: Record<string, string>

    /** Follows the links of a relation to the end; the names of each page. */
    async function walk(url: string, rel = 'next'): Promise<string[][]> {
      const pages: string[][] = []
      for (let next: string | undefined = url; next !== undefined;) {
        const page: Response = await app().get(next)
        expect([page.statusCode, page.headers['x-total-count']]).toEqual([200, undefined])
        pages.push(namesOf(page))
        next = linksOf(page)[rel]
      }
      return pages
    }

    beforeAll(async () => {
      ids = {}
      for (const [name, fields] of [
        ['Ada', { content_themes: ['technology', 'café'], appearance_locked: true }],
        ['Zoë', { base_image_status: 'draft', appearance: 'long RED coat of straße dust' }],
        ['ada', { content_themes: ['Technology'], base_image_status: 'approved' }],
        ['Éva', { default_content_rating: 'nsfw', allowed_content_ratings: ['moderate', 'nsfw'] }],
        ['紅葉', { content_themes: ['tech', 'music'], personality: 'quiet, 红色 and ＦＵＬＬ width' }],
      ] as const) {
        ids[name] = (await app().create({ name, ...fields })).id
      }
      await app().sendJson('POST', `${PERSONAS}${ids['Zoë']}/generations`, { count: 3 })
      await app().sendJson('PUT', PERSONAS + ids['Ada'], { base_image_path: 'a.png' })
    })

    it.each([
      ['-created_at', ['紅葉', 'Éva', 'ada', 'Zoë', 'Ada']],
      ['created_at', ['Ada', 'Zoë', 'ada', 'Éva', '紅葉']],
      ['-updated_at', ['Ada', '紅葉', 'Éva', 'ada', 'Zoë']],
      ['updated_at', ['Zoë', 'ada', 'Éva', '紅葉', 'Ada']],
      ['name', ['Ada', 'Zoë', 'ada', 'Éva', '紅葉']],
      ['-name', ['紅葉', 'Éva', 'ada', 'Zoë', 'Ada']],
      ['generation_count', ['Ada', 'ada', 'Éva', '紅葉', 'Zoë']],
      ['-generation_count', ['Zoë', '紅葉', 'Éva', 'ada', 'Ada']],
    ])('are sorted by %s, on every page and back', async (sort, names) => {
      expect(namesOf(await app().get(`${PERSONAS}?sort=${sort}`))).toEqual(names)
      const pages = await walk(`${PERSONAS}?sort=${sort}&limit=2`)
      expect(pages).toEqual([names.slice(0, 2), names.slice(2, 4), names.slice(4)])
      const middle = linksOf(await app().get(`${PERSONAS}?sort=${sort}&limit=2`))['next'] ?? ''
      const last = linksOf(await app().get(middle))['next'] ?? ''
      expect(await walk(last, 'prev')).toEqual([names.slice(4), names.slice(2, 4), names.slice(0, 2)])
    })

    it('begin by cursor with an empty one, and have the newest first', async () => {
      expect((await walk(`${PERSONAS}?cursor=&limit=3`)).flat()).toEqual(['紅葉', 'Éva', 'ada', 'Zoë', 'Ada'])
    })

    it.each([
      ['theme=technology', ['Ada']],
      ['theme=caf%C3%A9&theme=technology', ['Ada']],
      ['theme=tech&theme=technology', []],
      ['default_content_rating=nsfw', ['Éva']],
      ['default_content_rating=nsfw,moderate', ['Éva']],
      ['default_content_rating=sfw&default_content_rating=nsfw', ['紅葉', 'Éva', 'ada', 'Zoë', 'Ada']],
      ['allowed_content_rating=moderate', ['Éva']],
      ['allowed_content_rating=moderate,sfw', []],
      ['base_image_status=draft,approved', ['ada', 'Zoë']],
      ['base_image_status=draft&sort=name', ['Zoë']],
      ['appearance_locked=true', ['Ada']],
      ['appearance_locked=false&base_image_status=pending_upload&sort=name', ['Éva', '紅葉']],
      ['q=ada', ['ada', 'Ada']],
      ['q=zoe', ['Zoë']],
      ['q=ZO%C3%8B', ['Zoë']],
      ['q=eva', ['Éva']],
      ['q=tech', ['紅葉', 'ada', 'Ada']],
      ['q=tech+caf', ['Ada']],
      ['q=STRASSE', ['Zoë']],
      ['q=red&sort=name', ['Zoë']],
      ['q=ed', []],
      ['q=%E7%BA%A2', ['紅葉']],
      ['q=full&theme=music', ['紅葉']],
      ['q=nothing-like-it', []],
    ])('have what is asked for: %s', async (query, names) => {
      expect(namesOf(await app().get(`${PERSONAS}?${query}`))).toEqual(names)
      expect((await walk(`${PERSONAS}?${query}&limit=1`)).flat()).toEqual(names)
    })

    it('have times from one moment up to another', async () => {
      const { created_at: moment } = await app().read(ids['ada'] ?? '')
      const list = async (query: string) => namesOf(await app().get(`${PERSONAS}?${query}`))
      const older = await list(`created_before=${moment}`)
      const newer = await list(`created_after=${moment}`)
      expect([...newer, ...older]).toEqual(['紅葉', 'Éva', 'ada', 'Zoë', 'Ada'])
      expect(newer).toContain('ada')
      expect(await list(`created_after=${moment}&sort=name`)).toEqual([...newer].sort())
      expect(await list(`created_after=${moment}&created_before=${moment}&sort=-name`)).toEqual([])
      expect(
        await list('updated_after=0000-01-01T00:00:00%2B23:59&updated_before=9999-12-31T23:59:59-23:59'),
      ).toHaveLength(5)
    })

    it('are found by what was acknowledged, whether the index knows it or not', async () => {
      const found = async (query: string) => namesOf(await app().get(`${PERSONAS}?${query}`))
      const { id } = await app().create({ name: 'Quentin' })
      expect(await found('q=quent')).toEqual(['Quentin'])
      await app().sendJson('PUT', PERSONAS + id, { name: 'Wanda', content_themes: ['chess'] })
      expect([await found('q=quent'), await found('q=wanda'), await found('theme=chess')]).toEqual([
        [],
        ['Wanda'],
        ['Wanda'],
      ])
      await app().execute(`UPDATE personas SET name = 'Xaver', content_themes = '[ "go" , 1 ]' WHERE id = '${id}'`)
      expect([await found('q=wanda'), await found('q=xav+go'), await found('theme=go')]).toEqual([
        [],
        ['Xaver'],
        ['Xaver'],
      ])
      await app().send('DELETE', PERSONAS + id)
      expect(await found('q=xaver')).toEqual([])
      expect(await found('q=xaver&active_only=false')).toEqual(['Xaver'])
      await app().execute(`DELETE FROM personas WHERE id = '${id}'`)
    })

    it('go on where they were while personas come, go and move', async () => {
      const first = await app().get(`${PERSONAS}?sort=name&limit=2`)
      expect(namesOf(first)).toEqual(['Ada', 'Zoë'])
      const { id } = await app().create({ name: 'Aaron' })
      await app().sendJson('PUT', PERSONAS + ids['Zoë'], { name: 'Bea' })
      const next = await app().get(linksOf(first)['next'] ?? '')
      expect(namesOf(next)).toEqual(['ada', 'Éva'])
      expect((await walk(linksOf(next)['prev'] ?? '', 'prev')).flat()).toEqual(['Ada', 'Bea', 'Aaron'])
      await app().sendJson('PUT', PERSONAS + ids['Zoë'], { name: 'Zoë' })
      await app().execute(`DELETE FROM personas WHERE id = '${id}'`)
    })

    it('are counted when that is asked for', async () => {
      const totalOf = async (query: string) => {
        const { headers } = await app().get(`${PERSONAS}?${query}`)
        return [headers['x-total-count'], headers['x-total-count-relation']]
      }
      expect(await totalOf('sort=name&limit=1')).toEqual([undefined, undefined])
      expect(await totalOf('sort=name&limit=1&total=true')).toEqual(['5', 'exact'])
      expect(await totalOf('base_image_status=draft,approved&limit=1&total=true')).toEqual(['2', 'exact'])
      expect(await totalOf('limit=1&total=true')).toEqual(['5', undefined])
      expect(await totalOf('skip=5&limit=1')).toEqual(['5', undefined])
    })

    it('say all that was asked for in their links', async () => {
      const query =
        'sort=name&q=a&theme=x%26y&default_content_rating=sfw%2Cnsfw&created_after=2026-01-01T00%3A00%3A00Z&fields=name'
      const { first = '' } = linksOf(await app().get(`${PERSONAS}?${query}&appearance_locked=no&limit=3`))
      const { searchParams } = new URL(first, 'http://here')
      expect(Object.fromEntries(searchParams)).toEqual({
        ...{ limit: '3', active_only: 'true', sort: 'name', q: 'a', theme: 'x&y', default_content_rating: 'sfw,nsfw' },
        ...{ appearance_locked: 'false', created_after: '2026-01-01T00:00:00.000Z', fields: 'name', cursor: '' },
      })
    })

    it('are linked in headers that any client takes', async () => {
      const searched = `q=${'%E7%BA%A2'.repeat(10)}&theme=${'%E7%BA%A2'.repeat(260)}&theme=a`
      const name = '\u0001'.repeat(100)
      const { id } = await app().create({ name, personality: '红'.repeat(10), content_themes: ['红'.repeat(260), 'a'] })
      const { id: other } = await app().create({
        name,
        personality: '红'.repeat(10),
        content_themes: ['红'.repeat(260), 'a'],
      })
      const many = `default_content_rating=${'sfw,'.repeat(500)}sfw&fields=${'name,'.repeat(500)}name`
      const first = await app().get(`${PERSONAS}?${searched}&${many}&limit=1&sort=name`)
      const second = await app().get(linksOf(first)['next'] ?? '')
      expect([first, second].map(namesOf)).toEqual([[name], [name]])
      expect(Object.keys(linksOf(second))).toEqual(['first', 'prev'])
      expect(String(second.headers.link).length).toBeLessThan(13_000)
      for (const one of [id, other]) await app().execute(`DELETE FROM personas WHERE id = '${one}'`)
    })

    it('have the fields that are asked for, and the id', async () => {
      const id = ids['Ada'] ?? ''
      const whole = await app().get(PERSONAS + id)
      const part = await app().get(`${PERSONAS}${id}?fields=version,name`)
      expect(part.body).toBe(`{"id":"${id}","name":"Ada","version":2}`)
      expect(part.headers.etag).toBe(whole.headers.etag)
      const known = { 'if-none-match': String(whole.headers.etag) }
      expect((await app().get(`${PERSONAS}${id}?fields=version`, known)).statusCode).toBe(304)
      for (const query of ['sort=name', 'skip=4']) {
        const list = await app().get(`${PERSONAS}?limit=1&fields=name&${query}`)
        expect(list.json()).toEqual([{ id, name: 'Ada' }])
      }
    })

    it.each([
      ['sort=age', '/sort'],
      ['sort=', '/sort'],
      ['sort=name&sort=name', '/sort'],
      ['q=', '/q'],
      ['q=%F0%9F%8C%8A', '/q'],
      ['q=a&q=b', '/q'],
      ['q=%00a', '/q'],
      [`q=${'a+'.repeat(11)}`, '/q'],
      [`q=${'a'.repeat(201)}`, '/q'],
      ['theme=%00', '/theme'],
      [`${'theme=x&'.repeat(11)}`, '/theme'],
      [`theme=${'a'.repeat(2_500)}`, '/theme'],
      [`q=${'a'.repeat(200)}&theme=${'a'.repeat(1_200)}&theme=${'a'.repeat(1_200)}`, '/theme'],
      ['default_content_rating=sfw,adult', '/default_content_rating'],
      ['default_content_rating=', '/default_content_rating'],
      ['allowed_content_rating=all', '/allowed_content_rating'],
      ['base_image_status=lost', '/base_image_status'],
      ['appearance_locked=maybe', '/appearance_locked'],
      ['created_after=yesterday', '/created_after'],
      ['created_before=2026-01-01', '/created_before'],
      ['updated_after=', '/updated_after'],
      ['updated_before=1', '/updated_before'],
      ['fields=', '/fields'],
      ['fields=name,secret', '/fields'],
      ['fields=write_context', '/fields'],
      ['total=2', '/total'],
      ['total=true&q=a', '/total'],
      ['total=true&theme=a', '/total'],
      ['sort=name&skip=1', '/skip'],
      ['cursor=x', '/cursor'],
      ['cursor=bm9uc2Vuc2U', '/cursor'],
      ['cursor=&cursor=', '/cursor'],
      [`cursor=${'a'.repeat(2_049)}`, '/cursor'],
    ])('are refused: %s', async (query, pointer) => {
      expect(pointersOf(await app().get(`${PERSONAS}?${query}`))).toEqual([pointer])
    })

    it('refuse the cursor of another list, and one that was made by hand', async () => {
      const { next = '' } = linksOf(await app().get(`${PERSONAS}?sort=name&limit=1`))
      const cursor = new URL(next, 'http://here').searchParams.get('cursor') ?? ''
      const refusal = async (query: string) => problemOf(await app().get(`${PERSONAS}?${query}`), 422).detail
      expect(await refusal(`cursor=${cursor}`)).toMatch(/^cursor must be a cursor of this sort, is one of sort=name/)
      expect(await refusal(`cursor=${cursor}&sort=name&q=a`)).toMatch(/^cursor must be a cursor of these filters/)
      expect((await app().get(`${PERSONAS}?cursor=${cursor}&sort=name&limit=7&fields=name`)).statusCode).toBe(200)
      const content = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
      const forged = (sort: string, key: unknown) =>
        Buffer.from(JSON.stringify([sort, content[1], key, 'x', 0])).toString('base64url')
      for (const key of [null, {}, '\0', '\ud800', 1.5]) {
        expect(await refusal(`sort=name&cursor=${forged('name', key)}`)).toMatch(/^cursor must be/)
      }
      for (const key of ['x', 1e15]) {
        const response = await app().get(`${PERSONAS}?sort=generation_count&cursor=${forged('generation_count', key)}`)
        expect([200, 422]).toContain(response.statusCode)
      }
      for (const key of ['2026-02-30T00:00:00.000Z', '0000-01-01T00:00:00.000Z', 'x', 7]) {
        const response = await app().get(`${PERSONAS}?cursor=${forged('-created_at', key)}`)
        expect([200, 422]).toContain(response.statusCode)
      }
    })
  })
})
