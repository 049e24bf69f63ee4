import { describe, expect, it } from '@jest/globals'
import {
  DatabaseMovedError,
  DatabaseUnavailableError,
  StorageFullError,
  WriteLockTimeoutError,
  WriteOutcomeUnknownError,
} from '../../src/database/database-errors.js'
import { onEachDatabase } from '../support/databases.js'
import { failWith } from './faulty-repository.js'
import { aPersona, MERGE_PATCH, type Method, PERSONAS, problemOf, UNKNOWN_ID, withApp } from './support.js'

const BODY_LIMIT = 1_048_576

onEachDatabase((kind) => {
  const app = withApp(kind)

  describe('a body that cannot be understood', () => {
    const calls: [Method, string][] = [
      ['POST', PERSONAS],
      ['PUT', PERSONAS + UNKNOWN_ID],
      ['PATCH', PERSONAS + UNKNOWN_ID],
      ['DELETE', PERSONAS + UNKNOWN_ID],
      ['POST', `${PERSONAS + UNKNOWN_ID}/generations`],
    ]
    const malformed = [
      '{',
      '{"name":"Sarah",}',
      "{'name':'Sarah'}",
      '{"a":NaN}',
      '{"a":01}',
      'name=Sarah',
      '{}{}',
      '\u0000',
    ]

    it.each(calls.flatMap((call) => malformed.map((text) => [...call, text] as const)))(
      'is answered with 400: %s %s %j',
      async (method, url, text) => {
        expect(problemOf(await app().sendText(method, url, text), 400)).toEqual({
          type: 'urn:gator-personas:problem:malformed-body',
          title: 'Malformed body',
          status: 400,
          detail: expect.stringMatching(/^The body is not valid JSON: .+\.$/s),
          instance: url,
        })
      },
    )

    const types = [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/xml',
      'application/jsonp',
      'nonsense',
      '',
    ]

    it.each(calls.flatMap((call) => types.map((type) => [...call, type] as const)))(
      'is answered with 415: %s %s as "%s"',
      async (method, url, type) => {
        const response = await app().sendText(method, url, '{}', { 'content-type': type })
        expect(problemOf(response, 415)).toEqual({
          type: 'about:blank',
          title: 'Unsupported Media Type',
          status: 415,
          detail: expect.stringMatching(/^Unsupported Media Type/),
          instance: url,
        })
      },
    )

    it.each<[Method, string]>([
      ['POST', PERSONAS],
      ['PUT', PERSONAS + UNKNOWN_ID],
      ['POST', `${PERSONAS + UNKNOWN_ID}/generations`],
    ])('is answered with 415: a merge patch where there is none, %s %s', async (method, url) => {
      for (const type of [MERGE_PATCH, 'Application/Merge-Patch+JSON; charset=utf-8']) {
        problemOf(await app().sendText(method, url, '{}', { 'content-type': type }), 415)
      }
    })

    it.each([
      'application/json',
      'application/json; charset=utf-8',
      'Application/JSON',
      'application/json;charset="UTF-8"',
    ])('is not one that says %s', async (type) => {
      const payload = JSON.stringify(aPersona())
      expect((await app().sendText('POST', PERSONAS, payload, { 'content-type': type })).statusCode).toBe(201)
    })
  })

  describe('an empty body that is announced as JSON', () => {
    it('is none on DELETE and generations, changes nothing on PUT and PATCH, and lacks all fields on POST', async () => {
      const { id } = await app().create()
      const url = PERSONAS + id
      expect((await app().sendText('PUT', url, '')).statusCode).toBe(200)
      expect((await app().sendText('PATCH', url, '', { 'content-type': MERGE_PATCH })).statusCode).toBe(200)
      expect((await app().sendText('POST', `${url}/generations`, '')).json()).toMatchObject({ generation_count: 1 })
      expect((await app().sendText('DELETE', url, '')).statusCode).toBe(204)
      expect(problemOf(await app().sendText('POST', PERSONAS, ''), 422).errors).toHaveLength(3)
      expect((await app().read(id)).version).toBe(2)
    })
  })

  describe('a body over the limit', () => {
    it('is answered with 413', async () => {
      const body = JSON.stringify(aPersona({ nickname: '' }))
      const filled = (size: number) => body.replace('""', `"${'x'.repeat(size - body.length)}"`)
      expect(problemOf(await app().sendText('POST', PERSONAS, filled(BODY_LIMIT)), 422).errors).toHaveLength(1)
      expect(problemOf(await app().sendText('POST', PERSONAS, filled(BODY_LIMIT + 1)), 413)).toEqual({
        type: 'about:blank',
        title: 'Payload Too Large',
        status: 413,
        detail: expect.stringMatching(/./),
        instance: PERSONAS,
      })
    })

    it('is answered with 413 when it does not say how long it is', async () => {
      const response = await app().sendText('POST', PERSONAS, Buffer.alloc(BODY_LIMIT + 1, 'x'), {
        'transfer-encoding': 'chunked',
      })
      problemOf(response, 413)
    })
  })

  describe('a path', () => {
    it.each(['/nowhere', '/api', '/api/v1', '/api/v2/personas/', '/API/V1/personas/', `${PERSONAS}a/b`, '/health/x'])(
      'that is unknown is answered with 404 on every method: %s',
      async (url) => {
        for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
          expect(problemOf(await app().sendText(method, `${url}?secret=1`, '{'), 404)).toEqual({
            type: 'about:blank',
            title: 'Not Found',
            status: 404,
            detail: `There is nothing at ${url}.`,
            instance: url,
          })
        }
      },
    )

    it.each(['%', '%zz', '%E0%A4%A'])('that is not percent-encoding is answered with 400: %s', async (path) => {
      const url = PERSONAS + path
      expect(problemOf(await app().get(`${url}?a=1`), 400)).toMatchObject({ title: 'Bad Request', instance: url })
    })
  })

  describe('a failure of the database', () => {
    const faulty = withApp(kind)

    const calls: [Method, string, unknown][] = [
      ['POST', PERSONAS, aPersona()],
      ['GET', PERSONAS, undefined],
      ['GET', PERSONAS + UNKNOWN_ID, undefined],
      ['PUT', PERSONAS + UNKNOWN_ID, { name: 'Written' }],
      ['PATCH', PERSONAS + UNKNOWN_ID, { style_preferences: { a: 1 } }],
      ['DELETE', PERSONAS + UNKNOWN_ID, undefined],
      ['POST', `${PERSONAS + UNKNOWN_ID}/generations`, { count: 1 }],
    ]
    const call = ([method, url, body]: (typeof calls)[number], id: string) =>
      faulty().sendText(method, url, body === undefined ? '' : JSON.stringify(body), { 'x-request-id': id })

    it.each([
      // A write that was refused is no error of the service's: the line of the request tells of it.
      ['write-lock-timeout', 'Write lock timeout', new WriteLockTimeoutError({ cause: new Error('hush') }), 0],
      ['database-moved', 'Database moved', new DatabaseMovedError({ cause: new Error('hush') }), 0],
      ['write-outcome-unknown', 'Write outcome unknown', new WriteOutcomeUnknownError({ cause: new Error('hush') }), 1],
      ['database-unavailable', 'Database unavailable', new DatabaseUnavailableError('The database is away.'), 1],
    ])('is answered with 503 and Retry-After: %s', async (type, title, error, errorsLogged) => {
      failWith(faulty(), error)
      for (const one of calls) {
        const response = await call(one, type)
        expect(problemOf(response, 503)).toEqual({
          type: `urn:gator-personas:problem:${type}`,
          title,
          status: 503,
          detail: error.message,
          instance: one[1],
        })
        expect(response.headers['retry-after']).toMatch(/^[1-9]\d*$/)
        expect(response.body).not.toContain('hush')
      }
      const lines = faulty().log.filter((line) => line.requestId === type)
      expect(lines.filter(({ err }) => err !== undefined)).toHaveLength(calls.length * errorsLogged)
      expect(lines.filter(({ status, problem }) => status === 503 && String(problem).endsWith(type))).toHaveLength(
        calls.length,
      )
    })

    it('is answered with 507 when the disk is full', async () => {
      failWith(faulty(), new StorageFullError())
      for (const one of calls) {
        expect(problemOf(await call(one, 'full'), 507)).toEqual({
          type: 'urn:gator-personas:problem:storage-full',
          title: 'Insufficient storage',
          status: 507,
          detail: expect.stringContaining('nothing was written'),
          instance: one[1],
        })
      }
    })

    it.each([
      ['an Error', new TypeError('SELECT secret FROM /home/gator.db')],
      [
        'an error that claims a status',
        Object.assign(new Error('secret'), { statusCode: 418, code: 'FOREIGN', status: 403 }),
      ],
      ['an error with a driver code', Object.assign(new Error('secret'), { code: 'SQLITE_MISUSE' })],
    ])('that nobody foresaw is answered with 500 without internals: %s', async (label, error) => {
      failWith(faulty(), error)
      for (const one of calls) {
        const response = await call(one, 'unforeseen')
        expect(problemOf(response, 500)).toEqual({
          type: 'about:blank',
          title: 'Internal Server Error',
          status: 500,
          detail: expect.stringContaining('The log has the details'),
          instance: one[1],
        })
        expect(response.body).not.toMatch(/secret|gator\.db|SQLITE|at /)
      }
      const logged = faulty().log.filter(({ requestId, err }) => requestId === 'unforeseen' && err !== undefined)
      expect(logged.length).toBeGreaterThanOrEqual(calls.length)
      expect(logged.at(-1)?.err).toMatchObject({
        message: error.message,
        stack: expect.stringContaining('errors.spec'),
      })
      expect(label).not.toBe('')
    })
  })
})
