import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import { seed } from '../proof/scale.js'
import { type DatabaseName, databases, type TestDatabase } from '../support/databases.js'
import { aPersonaRow } from '../support/persona-rows.js'
import {
  aPersona,
  JSON_TYPE,
  MERGE_PATCH,
  type Method,
  PERSONAS,
  type Response,
  TestApp,
  UNKNOWN_ID,
} from './support.js'
import { ACCEPTED, REFUSED } from './validation-cases.js'

const RUNS = 60
const CALLS_A_RUN = 14
const TEST_TIMEOUT_MS = 120_000
const START = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
const BODY_LIMIT = 1_048_576

/** One request. `{0}` in the URL is the id of the first persona that was created on the side that it goes to, and so on. */
interface Call {
  readonly method: Method
  readonly url: string
  readonly body?: string | Buffer
  readonly headers?: Readonly<Record<string, string>>
  /** How long after the call before it comes, on the clock of both services. */
  readonly laterMs?: number
}

/** An application on a database of its own. */
class Side {
  /** The ids of what was created here, oldest first. */
  ids: string[] = []

  private constructor(
    readonly database: TestDatabase,
    readonly app: TestApp,
  ) {}

  static async start(kind: DatabaseName): Promise<Side> {
    const database = await databases[kind]()
    return new Side(database, await TestApp.start(database))
  }

  async close(): Promise<void> {
    await this.app.close()
    await this.database.remove()
  }

  /** The whole answer as text, a character for each byte of the body. */
  async answer({ method, url, body = '', headers = {} }: Call): Promise<string> {
    const response = await this.app.send(method, this.withIds(url), {
      headers: { 'x-request-id': 'parity', ...(body !== '' && { 'content-type': JSON_TYPE }), ...headers },
      ...(body !== '' && { payload: body }),
    })
    if (method === 'POST' && response.statusCode === 201) this.ids.push(response.json<{ id: string }>().id)
    return this.withoutIds(shown(response))
  }

  private withIds(text: string): string {
    return text.replace(/\{(\d+)\}/g, (_match, n: string) => this.ids[Number(n) % this.ids.length] ?? UNKNOWN_ID)
  }

  private withoutIds(text: string): string {
    return this.ids.reduce((shorter, id, n) => shorter.replaceAll(id, `<id ${n}>`), text)
  }
}

/** All of an answer but the moment at which Node sent it. */
function shown(response: Response): string {
  const headers = Object.entries(response.headers).filter(([name]) => name !== 'date')
  const lines = headers.map(([name, value]) => `${name}: ${String(value)}`)
  return [String(response.statusCode), ...lines, '', response.rawPayload.toString('latin1')].join('\n')
}

const post = (fields: object): Call => ({
  method: 'POST',
  url: PERSONAS,
  body: JSON.stringify(aPersona({ ...fields })),
})
/** A create whose body has JSON text, as it is, as the value of a field. */
const postText = (field: string, json: string): Call => ({
  method: 'POST',
  url: PERSONAS,
  body: JSON.stringify(aPersona({ [field]: 'HERE' })).replace('"HERE"', () => json),
})
const get = (url: string, headers: Record<string, string> = {}): Call => ({ method: 'GET', url, headers })
const write = (method: Method, url: string, body: string, headers: Record<string, string> = {}): Call => {
  return { method, url, body, headers }
}
const LAST = `${PERSONAS}{0}`
const EVERYTHING = get(`${PERSONAS}?limit=100&active_only=false`)

const TEXTS = [
  ['astral characters', '😀𝔘𝔫𝔦𝔠𝔬𝔡𝔢 \u{10ffff}'],
  ['combining marks', 'e\u0301 a\u0308\u0323 Z\u0335\u0321\u0353'],
  ['NFC', 'Zo\u00eb \u1e9b\u0323'],
  ['NFD', 'Zoe\u0308 \u017f\u0323\u0307'],
  ['right to left', 'مرحبا עברית \u202eabc\u202c'],
  ['emoji of several', '👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 👍🏽'],
  ['line separators', 'a\u2028b\u2029c\u0085d'],
  ['controls', '\u0001\u001f\u007f\t\r\n\b\f'],
  ['what looks like nothing', 'a\u200b\u200c\u200d\u2060\ufeffb\u00a0\u3000'],
  ['non-characters', '\ufdd0\ufffe\uffff\u{1fffe}'],
  ['quotes and escapes', '"double" \\ \\u0041 / $1 $* ? :1 -- ; % _'],
  ['lower case', 'ıi straße σς'],
  ['upper case', 'II STRASSE ΣΣ'],
] as const

const NUMBERS = [
  ...['0', '-0', '0.0', '-0.0', '1.0', '100e-2', '1e3', '1E+2', '0.1', '0.30000000000000004', '-2.5', '1e21', '1e-7'],
  ...['123456789012345680000', '9007199254740991', '-9007199254740991', '9007199254740992', '9007199254740993'],
  ...['5e-324', '2.2250738585072014e-308', '1e-400', '1.7976931348623157e308', '1E400', '-1E400', '4503599627370495.5'],
]

describe('an application on SQLite and one on PostgreSQL', () => {
  let sqlite: Side
  let postgresql: Side
  let clock = START

  beforeAll(async () => {
    ;[sqlite, postgresql] = await Promise.all([Side.start('SQLite'), Side.start('PostgreSQL')])
  })
  afterAll(() => Promise.all([sqlite, postgresql].map((side) => side.close())))

  // Both services see the same time, which passes when a call says so: what they say of it can be compared too. Timers
  // run on.
  beforeEach(async () => {
    clock = START
    jest.useFakeTimers({
      now: clock,
      doNotFake: [
        ...(['hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'clearImmediate'] as const),
        ...(['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] as const),
      ],
    })
    await forget()
  })
  afterEach(() => {
    jest.useRealTimers()
  })

  async function forget(): Promise<void> {
    for (const side of [sqlite, postgresql]) {
      side.ids = []
      await side.database.query('DELETE FROM personas')
    }
  }

  /** Sends a call to both, and answers what each of them said. */
  async function answersTo(call: Call): Promise<[string, string]> {
    clock += call.laterMs ?? 1
    jest.setSystemTime(clock)
    return [await sqlite.answer(call), await postgresql.answer(call)]
  }

  /** Sends the calls to both, and answers what both of them said. */
  async function expectSame(calls: readonly Call[]): Promise<string[]> {
    const answers: string[] = []
    for (const call of calls) {
      const [one, other] = await answersTo(call)
      if (one !== other) expect({ call, answer: other }).toEqual({ call, answer: one })
      answers.push(one)
    }
    return answers
  }

  const statusesOf = (answers: readonly string[]) => answers.map((answer) => Number(answer.slice(0, 3)))

  /** Changes both databases behind the services. */
  async function executeOnBoth(sql: string): Promise<void> {
    for (const side of [sqlite, postgresql]) await side.database.query(sql)
  }

  describe('are compared so that', () => {
    it.each([
      ['a character', `UPDATE personas SET name = 'Sarah.'`],
      ['a normal form', `UPDATE personas SET name = 'Zoe\u0308'`],
      ['a number', `UPDATE personas SET style_preferences = '{"a":1.0000000000000002,"b":2}'`],
      ['the order of keys', `UPDATE personas SET style_preferences = '{"b":2,"a":1}'`],
      ['a count', 'UPDATE personas SET generation_count = 1'],
      ['a millisecond', `UPDATE personas SET updated_at = '2026-01-02 03:04:05.680'`],
      ['a row', `DELETE FROM personas`],
    ])('%s on one side makes a difference', async (_label, sql) => {
      await expectSame([post({ name: 'Zo\u00eb', style_preferences: { a: 1, b: 2 } })])
      await postgresql.database.query(sql)
      for (const call of [get(LAST), EVERYTHING]) {
        const [one, other] = await answersTo(call)
        expect(other).not.toBe(one)
      }
    })
  })

  describe('answer the same to the byte', () => {
    it.each(TEXTS)('when texts have %s', async (_label, text) => {
      const long = text.repeat(5)
      const written = await expectSame([
        post({ name: text, appearance: long, personality: long, base_appearance_description: text }),
        post({ base_image_path: text, content_themes: [text, '', text], style_preferences: { [text]: [text] } }),
        post({
          platform_restrictions: { [text]: 'all', [text.toLowerCase()]: 'both', [text.toUpperCase()]: 'sfw_only' },
        }),
        write('PUT', `${PERSONAS}{1}`, JSON.stringify({ name: text })),
        write('PATCH', `${PERSONAS}{1}`, JSON.stringify({ style_preferences: { [text]: null, x: { [text]: 1 } } })),
      ])
      expect(statusesOf(written)).toEqual([201, 201, 201, 200, 200])
      const read = await expectSame([get(LAST), get(`${PERSONAS}{1}`), get(`${PERSONAS}{2}`), EVERYTHING])
      // Not only the same, but what was sent.
      const sent = Buffer.from(JSON.stringify(text.trim()).slice(1, -1)).toString('latin1')
      for (const answer of read) expect(answer).toContain(sent)
    })

    it('when names differ in nothing but case or normal form', async () => {
      const names = ['Zo\u00eb', 'zo\u00eb', 'ZO\u00cb', 'Zoe\u0308', 'zoe\u0308', 'Zoe']
      await expectSame([...names.map((name) => post({ name })), EVERYTHING])
      await expectSame(names.map((_name, n) => get(`${PERSONAS}{${n}}`)))
    })

    it.each([
      ...['\\ud800', '\\udc00\\ud800', 'a\\udfff', '\\u0000', 'a\\u0000b', '\\\\u0000', '\\u2028', '\\ufeff'],
      ...['\\/', '\\u0041', '\\x', '\\u00g0', '\t'],
    ])('when a text is written as "%s"', async (escaped) => {
      const text = `"${escaped} and ten more"`
      const keyed = `{${text}:1,"a":{${text}:[${text}]}}`
      await expectSame([
        ...['name', 'appearance', 'base_image_path', 'nickname', 'is_active'].map((field) => postText(field, text)),
        postText('content_themes', `[${text}]`),
        postText('style_preferences', keyed),
        postText('platform_restrictions', `{${text}:"all"}`),
        write('PATCH', LAST, `{"style_preferences":${keyed}}`),
        write('PUT', LAST, `{${text}:1}`, { prefer: 'handling=lenient' }),
        EVERYTHING,
      ])
    })

    it.each(NUMBERS)('when a number is %s', async (number) => {
      const json = `{"n":${number},"a":[${number},{"b":${number}}]}`
      await expectSame([
        postText('style_preferences', json),
        postText('style_preferences', '{"a":1}'),
        write('PATCH', LAST, `{"style_preferences":${json}}`),
        write('PUT', LAST, `{"style_preferences":${json},"version":${number},"generation_count":${number}}`),
        write('POST', `${LAST}/generations`, `{"count":${number}}`),
        write('PUT', LAST, `{"is_active":${number}}`),
        get(`${PERSONAS}?limit=${encodeURIComponent(number)}`),
        get(`${PERSONAS}?skip=${encodeURIComponent(number)}`),
        EVERYTHING,
      ])
    })

    it('when objects have keys in an order of their own, twice, or of a special meaning', async () => {
      const nested = (depth: number) => `${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`
      const objects = [
        '{"z":1,"a":2,"10":3,"9":4,"":5,"A":6}',
        '{"a":1,"b":2,"a":3}',
        '{"a":{"x":1},"a":{"y":2}}',
        '{"__proto__":1}',
        '{"a":{"__proto__":{"polluted":true}}}',
        '{"constructor":1,"toString":2,"hasOwnProperty":3,"then":4,"length":5}',
        '{"toJSON":1,"$type":"DateTime","value":"2026-01-02","$ref":"x"}',
        '{ "spaces" : [ 1 , 2 ]\n}',
        nested(32),
        nested(33),
        `{"a":${'['.repeat(31)}${']'.repeat(31)}}`,
        `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
        `{"a":"${'x'.repeat(65_536 - '{"a":""}'.length)}"}`,
        `{"a":"${'x'.repeat(65_537 - '{"a":""}'.length)}"}`,
      ]
      const answers = await expectSame([
        postText('style_preferences', '{"kept":{"b":1,"a":2}}'),
        ...objects.flatMap((object) => [
          postText('style_preferences', object),
          postText('platform_restrictions', object),
          write('PATCH', LAST, `{"style_preferences":${object}}`),
          write('PUT', LAST, object),
        ]),
        get(LAST),
        EVERYTHING,
      ])
      expect(new Set(statusesOf(answers))).toEqual(new Set([200, 201, 422]))
    })

    it('when every rule is kept, and when each is broken', async () => {
      for (const [, fields] of [...ACCEPTED, ...REFUSED]) {
        const body = JSON.stringify(fields)
        await expectSame([post(fields), write('PUT', LAST, body), write('PATCH', LAST, body), get(LAST)])
      }
    })

    it('when many were created in one millisecond, on every page', async () => {
      const calls = Array.from({ length: 25 }, (_value, n): Call => ({
        ...post({ name: `Persona ${n}`, is_active: n % 3 !== 0 }),
        laterMs: n % 8 === 0 ? 1 : 0,
      }))
      await expectSame(calls)
      const pages = [0, 1, 7, 16, 24, 25, 26, 2_147_483_647].flatMap((skip) =>
        [1, 2, 10, 100].flatMap((limit) =>
          ['', '&active_only=false', '&active_only=true'].map((active) => `skip=${skip}&limit=${limit}${active}`),
        ),
      )
      await expectSame(pages.map((query) => get(`${PERSONAS}?${query}`)))
    })

    it('when a query is out of range or out of order', async () => {
      const queries = [
        'limit=0',
        'limit=101',
        'limit=x',
        'limit=',
        'skip=-1',
        'skip=2147483648',
        'skip=%00',
        'skip=1.0',
      ]
      const others = [
        'active_only=1',
        'active_only=TRUE',
        'active_only=',
        'limit=1&limit=2',
        '=&&',
        'skip[]=1',
        '%zz=1',
      ]
      await expectSame([post({}), ...[...queries, ...others].map((query) => get(`${PERSONAS}?${query}`))])
    })

    it('when a request is conditional', async () => {
      await expectSame([
        post({}),
        write('PUT', LAST, '{"name":"Second"}'),
        write('POST', `${LAST}/generations`, '{"count":2}'),
      ])
      const tags = [
        '"2.2"',
        '"2.0"',
        '"2.999"',
        '"1.0"',
        '"3.0"',
        'W/"2.2"',
        '*',
        ' * ',
        '"1.0", "2.2"',
        '"1.0", *',
        '',
      ]
      const odd = ['"2', '2.2', '"02.2"', '"+2.2"', '"2147483647.0"', '"2147483648.0"', '"9007199254740993.0"', '"x"']
      for (const tag of [...tags, ...odd, '"1.0",'.repeat(2_000), `${'"7.0",'.repeat(500)}"2.2"`]) {
        const condition = { 'if-match': tag }
        await expectSame([
          get(LAST, { 'if-none-match': tag }),
          { method: 'HEAD', url: LAST, headers: { 'if-none-match': tag } },
          write('PUT', LAST, '{}', condition),
          write('PATCH', LAST, '{}', condition),
          write('PUT', `${PERSONAS}{9}x`, '{"name":"Nobody"}', condition),
          write('PUT', PERSONAS + UNKNOWN_ID, '{"name":"Nobody"}', condition),
          write('POST', `${LAST}/generations`, '{}', condition),
        ])
        // Each of these on a persona of its own, as it may succeed.
        for (const [method, body] of [
          ['PUT', '{"name":"Put"}'],
          ['PATCH', '{"style_preferences":{"a":1}}'],
          ['DELETE', ''],
        ] as const) {
          await forget()
          await expectSame([
            post({}),
            write('PUT', LAST, '{"name":"Second"}'),
            write('POST', `${LAST}/generations`, ''),
          ])
          await expectSame([write(method, LAST, body, condition), get(LAST)])
        }
      }
    })

    it('when it is an error', async () => {
      const big = Buffer.alloc(BODY_LIMIT + 1, 'x')
      const targets = [
        PERSONAS,
        LAST,
        `${LAST}/generations`,
        PERSONAS + UNKNOWN_ID,
        `${PERSONAS}nobody`,
        `${PERSONAS}%zz`,
      ]
      const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'] as const
      const bodies = ['', '{', '[]', 'null', '{}{}', '{"name":7}', '{"nickname":"x"}', '\ufeff{}', '{"count":0}', big]
      const types = [JSON_TYPE, MERGE_PATCH, 'text/plain', 'application/json; charset=latin1', 'nonsense']
      const calls = targets.flatMap((url) =>
        methods.flatMap((method) => [
          ...bodies.map((body): Call => ({ method, url, body })),
          ...types.map((type): Call => ({ method, url, body: '{}', headers: { 'content-type': type } })),
        ]),
      )
      const places = ['/', '/nowhere', '/api/v1', '/health/live', '/health/ready', '/openapi.json'].map((url) =>
        get(url),
      )
      const answers = await expectSame([post({}), ...calls, ...places, EVERYTHING])
      const statuses = [200, 201, 204, 400, 404, 405, 413, 415, 422]
      expect(expect.arrayContaining(statuses)).toEqual([...new Set(statusesOf(answers))])
    })

    it('when a generation count nears its end', async () => {
      await expectSame([post({})])
      await executeOnBoth('UPDATE personas SET generation_count = 2147482000')
      const count = (n: number) => write('POST', `${LAST}/generations`, `{"count":${n}}`)
      const answers = await expectSame([count(1_000), count(647), count(1), count(1_000), get(LAST), EVERYTHING])
      expect(statusesOf(answers)).toEqual([200, 200, 422, 422, 200, 200])
    })

    it('when they are deleted, and come back', async () => {
      const remove: Call = { method: 'DELETE', url: LAST }
      const back = write('PUT', LAST, '{"is_active":true}')
      await expectSame([post({}), post({}), remove, remove, get(LAST), get(PERSONAS), EVERYTHING, back, get(PERSONAS)])
    })
  })

  describe('answer the same, ids and times included, when they have the same rows', () => {
    const times = [
      '0001-01-01T00:00:00.000Z',
      '0099-12-31T23:59:59.999Z',
      '1970-01-01T00:00:00.000Z',
      '1970-01-01T00:00:00.001Z',
      '1969-12-31T23:59:59.999Z',
      '1900-02-28T12:00:00.500Z',
      '2000-02-29T23:59:59.999Z',
      '2026-03-29T01:00:00.000Z',
      '2026-03-29T02:30:00.010Z',
      '2026-10-25T00:30:00.100Z',
      '2026-01-02T03:04:05.000Z',
      '2026-01-02T03:04:05.001Z',
      '2026-01-02T03:04:05.010Z',
      '2026-01-02T03:04:05.999Z',
      '2038-01-19T03:14:07.999Z',
      '2038-01-19T03:14:08.000Z',
      '2106-02-07T06:28:16.123Z',
      '9999-12-31T23:59:59.999Z',
    ]
    const ids = ['00000000-0000-7000-8000-00000000000f', 'ffffffff-ffff-7fff-bfff-ffffffffffff', UNKNOWN_ID]
    const tie = '2026-01-02T03:04:05.000Z'
    const idOf = (n: number) => `019aaf3e-0000-7000-8000-${n.toString(16).padStart(12, '0')}`

    beforeEach(async () => {
      const rows = times.map((time, n) =>
        aPersonaRow({ id: idOf(n), name: `At ${time}`, createdAt: new Date(time), updatedAt: new Date(time) }),
      )
      // The same time as one of those: the id decides.
      const ties = ids.map((id) => aPersonaRow({ id, createdAt: new Date(tie), isActive: id !== UNKNOWN_ID }))
      for (const side of [sqlite, postgresql]) {
        const database = await side.database.connect()
        // In another order on each side: what comes back must not depend on it.
        const all = side === sqlite ? [...rows, ...ties] : [...ties, ...rows.reverse()]
        await database.write((client) => client.persona.createMany({ data: all }))
        await database.close()
      }
    })

    it('on every page of the list', async () => {
      const pages = Array.from({ length: 22 }, (_value, skip) => `skip=${skip}&limit=${skip % 4 === 0 ? 100 : 3}`)
      const queries = pages.flatMap((page) => [page, `${page}&active_only=false`])
      const answers = await expectSame([EVERYTHING, ...queries.map((query) => get(`${PERSONAS}?${query}`))])
      const [, json = '[]'] = (answers[0] ?? '').split('\n\n')
      const listed = (JSON.parse(json) as { created_at: string }[]).map((persona) => persona.created_at)
      expect(listed).toEqual([...times, ...Array<string>(ids.length).fill(tie)].sort().reverse())
    })

    it('one by one, and after a change', async () => {
      const urls = [...times.map((_time, n) => idOf(n)), ...ids].map((id) => PERSONAS + id)
      for (const [n, answer] of (await expectSame(urls.map((url) => get(url)))).slice(0, times.length).entries()) {
        expect(answer).toContain(`"created_at":"${times[n]}","updated_at":"${times[n]}"`)
      }
      for (const url of urls) {
        await expectSame([
          write('PATCH', url, '{"style_preferences":{"a":1}}'),
          write('PUT', url, '{"name":"Changed"}', { 'if-match': '"2.0"' }),
          write('POST', `${url}/generations`, ''),
          { method: 'DELETE', url },
          get(url.toUpperCase().replace('/API/V1/PERSONAS/', PERSONAS)),
        ])
      }
      await expectSame([EVERYTHING])
    })
  })

  it(
    'answer the same to the byte to any sequence of requests',
    async () => {
      process.stderr.write(`parity: SEED=${seed}\n`)
      await fc.assert(
        fc.asyncProperty(fc.array(anyCall, { minLength: 1, maxLength: CALLS_A_RUN }), async (calls) => {
          clock = START
          await forget()
          await expectSame([post({}), ...calls, EVERYTHING, get(PERSONAS)])
        }),
        { seed, numRuns: RUNS },
      )
    },
    TEST_TIMEOUT_MS,
  )
})

const anyString = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  // Code units, so lone surrogates too.
  fc.array(fc.nat({ max: 0xffff }), { maxLength: 8 }).map((units) => String.fromCharCode(...units)),
  fc.constantFrom('', '__proto__', 'constructor', '10', '9', 'a', 'A', '\0', ...TEXTS.map(([, text]) => text)),
)
const anyStringText = anyString.map((text) => JSON.stringify(text))
const anyNumberText = fc.oneof(fc.constantFrom(...NUMBERS), fc.double().map(String), fc.maxSafeInteger().map(String))
const objectText = (value: fc.Arbitrary<string>) =>
  fc
    .array(fc.tuple(anyStringText, value), { maxLength: 4 })
    .map((entries) => `{${entries.map(([key, text]) => `${key}:${text}`).join(',')}}`)

/** JSON as text, so that numbers can be written in every way and keys be there twice; now and then it is none. */
const { json: anyJsonText, object: anyObjectText } = fc.letrec<{ json: string; object: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom('null', 'true', 'false', '[]', '{}'),
    anyNumberText,
    anyStringText,
    fc.array(tie('json'), { maxLength: 3 }).map((items) => `[${items.join(',')}]`),
    tie('object'),
  ),
  object: objectText(tie('json')),
}))

const ratings = fc.constantFrom('"sfw"', '"moderate"', '"nsfw"')
const goodText = anyString.map((text) => JSON.stringify(`At least ten: ${text}`))
/** A value for a field that has a chance of being accepted. */
const GOOD: Readonly<Record<string, fc.Arbitrary<string>>> = {
  name: goodText,
  appearance: goodText,
  personality: goodText,
  content_themes: fc.array(anyStringText, { maxLength: 4 }).map((themes) => `[${themes.join(',')}]`),
  style_preferences: anyObjectText,
  default_content_rating: ratings,
  allowed_content_ratings: fc.uniqueArray(ratings, { minLength: 1 }).map((all) => `[${all.join(',')}]`),
  platform_restrictions: objectText(fc.constantFrom('"all"', '"both"', 'null')),
  base_appearance_description: fc.oneof(anyStringText, fc.constant('null')),
  base_image_path: fc.oneof(anyStringText, fc.constant('null')),
  appearance_locked: fc.constantFrom('true', 'false'),
  base_image_status: fc.constantFrom('"draft"', '"approved"', '"rejected"', '"pending_upload"'),
  is_active: fc.constantFrom('true', 'false'),
}
const goodEntry = fc.oneof(...Object.entries(GOOD).map(([field, value]) => value.map((text) => `"${field}":${text}`)))
const anyEntry = fc
  .tuple(
    fc.oneof(
      fc.constantFrom(...Object.keys(GOOD), 'id', 'version', 'count').map((key) => `"${key}"`),
      anyStringText,
    ),
    anyJsonText,
  )
  .map(([key, value]) => `${key}:${value}`)
const someEntries = fc.array(fc.oneof({ arbitrary: goodEntry, weight: 9 }, { arbitrary: anyEntry, weight: 1 }), {
  maxLength: 4,
})
const REQUIRED = JSON.stringify(aPersona()).slice(1, -1)

const anyUrl = fc.oneof(
  { arbitrary: fc.nat({ max: 3 }).map((n) => `${PERSONAS}{${n}}`), weight: 9 },
  { arbitrary: fc.constantFrom(PERSONAS + UNKNOWN_ID, `${PERSONAS}nobody`), weight: 1 },
)
const anyHeaders: fc.Arbitrary<Record<string, string>> = fc.oneof(
  { arbitrary: fc.constant({}), weight: 5 },
  {
    arbitrary: fc
      .constantFrom('*', '"1.0"', '"2.0"', '"2.5"', 'W/"1.0"', '"1.0", "2.0", "3.0"', 'x')
      .map((tag) => ({ 'if-match': tag })),
    weight: 3,
  },
  { arbitrary: fc.constant({ prefer: 'handling=lenient' }), weight: 1 },
)
const laterMs = fc.constantFrom(0, 0, 1, 999)
const skips = fc.oneof(fc.nat({ max: 6 }), fc.constantFrom(-1, 2_147_483_647))
const anyCall: fc.Arbitrary<Call> = fc.oneof(
  fc.record({
    method: fc.constant('POST' as const),
    url: fc.constant(PERSONAS),
    body: someEntries.map((entries) => `{${[REQUIRED, ...entries].join(',')}}`),
    laterMs,
  }),
  fc.record({
    method: fc.constantFrom('PUT' as const, 'PATCH' as const),
    url: anyUrl,
    body: someEntries.map((entries) => `{${entries.join(',')}}`),
    headers: anyHeaders,
    laterMs,
  }),
  fc.record({
    method: fc.constantFrom('GET' as const, 'HEAD' as const, 'DELETE' as const),
    url: anyUrl,
    headers: anyHeaders,
    laterMs,
  }),
  fc.record({
    method: fc.constant('POST' as const),
    url: anyUrl.map((url) => `${url}/generations`),
    body: fc.oneof(
      fc.constant(''),
      fc.nat({ max: 1_001 }).map((n) => `{"count":${n}}`),
    ),
    laterMs,
  }),
  fc
    .record({ skip: skips, limit: fc.nat({ max: 7 }), active: fc.constantFrom('true', 'false') })
    .map(({ skip, limit, active }) => get(`${PERSONAS}?skip=${skip}&limit=${limit}&active_only=${active}`)),
)
