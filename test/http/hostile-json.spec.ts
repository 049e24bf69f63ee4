import { describe, expect, it } from '@jest/globals'
import type { PersonaResource } from '../../src/personas/dto/persona.resource.js'
import { onEachDatabase } from '../support/databases.js'
import { aPersona, type Method, PERSONAS, pointersOf, problemOf, type Response, withApp } from './support.js'

const METHODS = ['POST', 'PUT', 'PATCH'] as const

onEachDatabase((kind) => {
  const app = withApp(kind)

  /** Sends JSON text as the value of a field, with what a create needs around it. */
  async function writeText(method: Method, field: string, json: string): Promise<Response> {
    const body = JSON.stringify(aPersona({ [field]: 'HERE' })).replace('"HERE"', () => json)
    if (method === 'POST') return app().sendText('POST', PERSONAS, body)
    return app().sendText(method, PERSONAS + (await app().create()).id, `{"${field}":${json}}`)
  }

  /** Looks at what was accepted from every side: the answer, a read, and the stored text. */
  async function expectStored(response: Response, preferences: string): Promise<void> {
    expect([200, 201]).toContain(response.statusCode)
    const persona = response.json<PersonaResource>()
    expect(JSON.stringify(persona.style_preferences)).toBe(preferences)
    const read = await app().get(PERSONAS + persona.id)
    expect(read.body).toContain(`"style_preferences":${preferences},`)
    expect((await app().row(persona.id)).style_preferences).toBe(preferences)
  }

  const nested = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth)

  describe.each(METHODS)('hostile values in %s', (method) => {
    it.each([
      ['objects 100,000 levels deep', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
      ['arrays 100,000 levels deep', `{"a":${nested('[', ']', 100_000)}}`],
      ['both by turns', `${'{"a":['.repeat(50_000)}${']}'.repeat(50_000)}`],
      ['arrays that make it 33 levels', `{"a":${nested('[', ']', 32)}}`],
      ['objects of 33 levels', `${'{"a":'.repeat(32)}{}${'}'.repeat(32)}`],
    ])('nested too deep are refused: %s', async (_label, json) => {
      expect(pointersOf(await writeText(method, 'style_preferences', json))).toEqual(['/style_preferences'])
    })

    it.each([
      ['arrays that make it 32 levels', `{"a":${nested('[', ']', 31)}}`],
      ['objects of 32 levels', `${'{"a":'.repeat(31)}{}${'}'.repeat(31)}`],
      ['a value below the 32nd level', `${'{"a":'.repeat(32)}1${'}'.repeat(32)}`],
    ])('nested as deep as allowed are kept: %s', async (_label, json) => {
      await expectStored(await writeText(method, 'style_preferences', json), json)
    })

    it.each([
      ['deep', nested('[', ']', 100_000)],
      ['a deep object', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
    ])('are refused where an array of themes belongs: %s', async (_label, json) => {
      expect(problemOf(await writeText(method, 'content_themes', json), 422).errors).toHaveLength(1)
      expect(problemOf(await writeText(method, 'name', json), 422).errors).toHaveLength(1)
      expect(problemOf(await writeText(method, 'nickname', json), 422).errors).toHaveLength(1)
    })

    it.each([
      ['1e400', '1e400'],
      ['-1e400', '-1e400'],
      ['a number of a thousand digits', '9'.repeat(1_000)],
      ['2^53 + 1', '9007199254740993'],
      ['2^53', '9007199254740992'],
      ['-2^53 - 1', '-9007199254740993'],
      ['2^64', '18446744073709551616'],
      ['1e308', '1e308'],
    ])('that a number does not hold exactly are refused: %s', async (_label, number) => {
      const response = await writeText(method, 'style_preferences', `{"a":{"b/c~d":[0,${number}]}}`)
      expect(pointersOf(response)).toEqual(['/style_preferences/a/b~1c~0d/1'])
    })

    it.each([
      ['the largest whole numbers', '[9007199254740991,-9007199254740991]'],
      ['fractions', '[0.1,-2.5,0.30000000000000004,123456.789,4503599627370495.5]'],
      ['the smallest numbers', '[5e-324,2.2250738585072014e-308,1e-7]'],
    ])('that a number holds are kept: %s', async (_label, numbers) => {
      const json = `{"a":${numbers}}`
      await expectStored(await writeText(method, 'style_preferences', json), json)
    })

    it('are the same numbers in the form of others: -0, 1.0, 1e3', async () => {
      const response = await writeText(method, 'style_preferences', '{"a":[-0,1.0,1e3,1E-2]}')
      await expectStored(response, '{"a":[0,1,1000,0.01]}')
    })

    it('are the last of duplicate keys', async () => {
      await expectStored(await writeText(method, 'style_preferences', '{"a":1,"b":2,"a":3}'), '{"a":3,"b":2}')
      const url = method === 'POST' ? PERSONAS : PERSONAS + (await app().create()).id
      const body = JSON.stringify(aPersona()).replace('{', '{"name":"a","is_active":"no","is_active":true,')
      expect((await app().sendText(method, url, body)).json()).toMatchObject({ name: aPersona().name, is_active: true })
    })

    it.each([
      ['deep down', '{"a":[{"__proto__":{"polluted":true}}]}', '/style_preferences/a/0/__proto__'],
      ['at the top', '{"__proto__":{"polluted":true}}', '/style_preferences/__proto__'],
      ['escaped', '{"\\u005f_proto__":1}', '/style_preferences/__proto__'],
    ])('called __proto__ are refused and pollute nothing: %s', async (_label, json, pointer) => {
      expect(pointersOf(await writeText(method, 'style_preferences', json))).toEqual([pointer])
      expect({}).not.toHaveProperty('polluted')
    })

    it('called __proto__ at the top of the body are refused, lenient handling or not', async () => {
      const url = method === 'POST' ? PERSONAS : PERSONAS + (await app().create()).id
      const body = JSON.stringify(aPersona()).replace('{', '{"__proto__":{"is_active":false,"polluted":true},')
      for (const prefer of ['handling=strict', 'handling=lenient']) {
        expect(new Set(pointersOf(await app().sendText(method, url, body, { prefer })))).toEqual(
          new Set(['/__proto__']),
        )
      }
      expect({}).not.toHaveProperty('polluted')
    })

    it('called like an inherited property are kept', async () => {
      const json =
        '{"constructor":{"prototype":{"polluted":true}},"prototype":1,"toString":"x","hasOwnProperty":null,"then":{"toJSON":1},"length":0}'
      const fromPatch = json.replace('"hasOwnProperty":null,', '')
      await expectStored(
        await writeText(method, 'style_preferences', method === 'PATCH' ? fromPatch : json),
        method === 'PATCH' ? fromPatch : json,
      )
      expect({}).not.toHaveProperty('polluted')
      const restrictions = { constructor: 'all', toString: 'both', valueOf: 'sfw_only' }
      const response = await writeText(method, 'platform_restrictions', JSON.stringify(restrictions))
      expect(response.json()).toMatchObject({ platform_restrictions: restrictions })
    })

    it.each([
      ['a name', 'name', '"Sarah \\ud800"', ['/name']],
      ['a name, the wrong way round', 'name', '"Sarah \\udc00\\ud800"', ['/name']],
      ['a theme', 'content_themes', '["fine","\\udfff"]', ['/content_themes/1']],
      ['a value', 'style_preferences', '{"a":["\\ud83d"]}', ['/style_preferences/a/0']],
      ['a key', 'style_preferences', '{"b":{"\\ud83d":1}}', ['/style_preferences/b']],
      ['a platform', 'platform_restrictions', '{"\\ud83d":"all"}', ['/platform_restrictions']],
      ['an image path', 'base_image_path', '"\\ud83d.png"', ['/base_image_path']],
    ])('with a lone surrogate are refused: %s', async (_label, field, json, pointers) => {
      const response = await writeText(method, field, json)
      expect(pointersOf(response)).toEqual(pointers)
      expect(problemOf(response, 422).detail).toContain('lone surrogate')
    })

    it.each([
      ['a name', 'name', '"Sarah\\u0000"', ['/name']],
      ['an appearance', 'appearance', '"\\u0000 and long enough"', ['/appearance']],
      ['a theme', 'content_themes', '["fine","\\u0000"]', ['/content_themes/1']],
      ['a value', 'style_preferences', '{"a":{"b":"x\\u0000"}}', ['/style_preferences/a/b']],
      ['a key', 'style_preferences', '{"a":{"\\u0000":1}}', ['/style_preferences/a']],
      ['a platform', 'platform_restrictions', '{"a\\u0000b":"all"}', ['/platform_restrictions']],
      ['a base description', 'base_appearance_description', '"\\u0000"', ['/base_appearance_description']],
    ])('with NUL are refused: %s', async (_label, field, json, pointers) => {
      const response = await writeText(method, field, json)
      expect(pointersOf(response)).toEqual(pointers)
      expect(problemOf(response, 422).detail).toContain('NUL')
    })

    it('with every other character are kept', async () => {
      const text = '\u0001\u001f"\\/\b\f\n\r\t\u007f\u2028\u2029\ufeff\ufffe\uffff😀\u{10ffff}'
      const json = JSON.stringify({ [text]: text, '': '', 'a/b~c': '~1' })
      await expectStored(await writeText(method, 'style_preferences', json), json)
      const { id } = (await writeText(method, 'appearance', JSON.stringify(text))).json<PersonaResource>()
      expect((await app().read(id)).appearance).toBe(text)
    })
  })
})
