import { describe, expect, it } from '@jest/globals'
import { onEachDatabase } from '../support/databases.js'
import { aPersona, PERSONAS, pointersOf, problemOf, withApp } from './support.js'

const CALLS = ['POST', 'PUT', 'PATCH', 'generations'] as const
type Call = (typeof CALLS)[number]

onEachDatabase((kind) => {
  const app = withApp(kind)

  async function send(call: Call, body: string, headers: Record<string, string> = {}) {
    if (call === 'POST') return app().sendText('POST', PERSONAS, body, headers)
    const url = PERSONAS + (await app().create()).id
    if (call === 'generations') return app().sendText('POST', `${url}/generations`, body, headers)
    return app().sendText(call, url, body, headers)
  }

  describe.each(CALLS)('a hostile body of %s', (call) => {
    it.each([
      '[]',
      '[{}]',
      '"name"',
      '""',
      '0',
      '42',
      '-0',
      '1e400',
      'true',
      'false',
      'null',
      `[${JSON.stringify(aPersona())}]`,
    ])('that is no object is refused: %s', async (body) => {
      const problem = problemOf(await send(call, body), 422)
      expect(problem.errors).toEqual([{ pointer: '', detail: 'must be a JSON object' }])
      expect(problem.detail).toBe('The body must be a JSON object.')
    })

    it('that is 100,000 levels deep is refused', async () => {
      problemOf(await send(call, '['.repeat(100_000) + ']'.repeat(100_000)), 422)
      problemOf(await send(call, '['.repeat(100_000)), 400)
      const object = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`
      expect(pointersOf(await send(call, object)).at(-1)).toBe('/a')
    })

    it.each([' ', '\n\t ', '\ufeff\ufeff', '\u00a0', '\u0000'])('that is blank is not JSON: %j', async (body) => {
      problemOf(await send(call, body), 400)
    })

    it('that begins with a byte order mark is taken without it', async () => {
      expect([200, 422]).toContain((await send(call, '\ufeff{}')).statusCode)
      if (call !== 'generations') {
        const response = await send(call, `\ufeff${JSON.stringify(aPersona({ name: '\ufefffirst\ufeff' }))}`)
        expect(response.json()).toMatchObject({ name: 'first' })
      }
    })

    it('with unknown keys that cannot be stored or told in a header is refused', async () => {
      for (const prefer of ['handling=strict', 'handling=lenient']) {
        problemOf(await send(call, '{"\\ud800":1}', { prefer }), 422)
        problemOf(await send(call, '{"a\\u0000":1}', { prefer }), 422)
      }
      problemOf(await send(call, `{"${'x'.repeat(10_000)}":1}`, { prefer: 'handling=lenient' }), 422)
      const named = await send(call, '{"\\r\\nX-Evil: 1":1}', { prefer: 'handling=lenient' })
      expect(named.headers).not.toHaveProperty('x-evil')
      if (call !== 'POST') expect(named.headers['x-ignored-fields']).toBe('%0D%0AX-Evil%3A%201')
    })
  })

  /** A key of three characters, another for each number below 64³. */
  function shortKey(index: number): string {
    return Buffer.from([index >> 16, index >> 8, index])
      .toString('base64')
      .slice(1)
  }

  describe('very many unknown keys', () => {
    it.each<[Call, string]>([
      ['PUT', 'handling=strict'],
      ['generations', 'handling=lenient'],
    ])('are refused with an answer that is smaller than they: %s, %s', async (call, prefer) => {
      // More than a function takes arguments, and just below the limit of a body.
      const body = `{${Array.from({ length: 130_000 }, (_, index) => `"${shortKey(index)}":0`).join(',')}}`
      const response = await send(call, body, { prefer })
      const problem = problemOf(response, 422)
      expect(problem.errors).toHaveLength(1_000)
      expect(problem.detail).toMatch(/\(and 129999 more\)\.$/)
      expect(response.body.length).toBeLessThan(body.length)
    })
  })

  describe('very long arrays', () => {
    it.each([
      ['allowed_content_ratings', Array.from({ length: 100_000 }, (_, index) => index)],
      ['allowed_content_ratings', Array.from({ length: 100_000 }, () => 'sfw')],
      ['content_themes', Array.from({ length: 100_000 }, () => 0)],
      ['content_themes', Array.from({ length: 100_000 }, () => 'x')],
      ['style_preferences', Array.from({ length: 100_000 }, () => 0)],
    ])('are refused without holding up the others: %s', async (field, value) => {
      const body = JSON.stringify({ [field]: value })
      const { id } = await app().create()
      const start = performance.now()
      const response = await app().sendText('PUT', PERSONAS + id, body)
      // Comparing each with each takes minutes.
      expect(performance.now() - start).toBeLessThan(3_000)
      expect(problemOf(response, 422).errors?.length).toBeLessThanOrEqual(1_000)
      expect(response.body.length).toBeLessThan(body.length)
    })
  })

  describe('a hostile persona', () => {
    it.each([
      'Robert"); DROP TABLE personas;--',
      '${jndi:ldap://x}',
      '{{constructor}}',
      '%00%0a',
      '../../etc/passwd',
      '\u202eright to left',
      'NULL',
      '\\u0000',
    ])('is only text: %s', async (name) => {
      const created = await app().create({
        name,
        base_image_path: name,
        content_themes: [name],
        style_preferences: { [name]: name },
      })
      expect(created).toMatchObject({
        name,
        base_image_path: name,
        content_themes: [name],
        style_preferences: { [name]: name },
      })
      expect(await app().read(created.id)).toEqual(created)
      expect(await app().row(created.id)).toMatchObject({ name, base_image_path: name })
    })
  })
})
