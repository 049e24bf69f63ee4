import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, it } from '@jest/globals'
import { Database } from '../../src/database/database.js'
import { onEachDatabase } from '../support/databases.js'
import { failWith } from './faulty-repository.js'
import { aPersona, type Method, PERSONAS, type Response, UNKNOWN_ID, withApp } from './support.js'

/** Lines of a stack, paths of this machine, the names and codes of what is inside; and SQL, whose words are words of ours too. */
const INSIDE = [
  /\bat \S+ \(|\.(?:[mc]?[jt]s):\d|node_modules|\/(?:src|dist|tmp)\//,
  /sqlite|postgres|prisma|better-|\bP2\d{3}\b|\b42P01\b|no such table|relation|secret/i,
  /\b(?:SELECT|INSERT|UPDATE|DELETE FROM|BEGIN|COMMIT)\b/,
]

onEachDatabase((kind) => {
  const app = withApp(kind)
  const broken = withApp(kind)

  const refusals: readonly (readonly [Method, string, (string | Buffer)?, Record<string, string>?])[] = [
    ['GET', '/nowhere'],
    ['GET', `${PERSONAS}%zz`],
    ['GET', `${PERSONAS}'; DROP TABLE personas; --`],
    ['DELETE', PERSONAS],
    ['GET', `${PERSONAS}?limit=1e999&skip=-1`],
    ['POST', PERSONAS, '{'],
    ['POST', PERSONAS, Buffer.from([0xff, 0xfe])],
    ['POST', PERSONAS, '{"name": 1, "__proto__": {}, "extra": "\\u0000"}'],
    ['POST', PERSONAS, 'x', { 'content-type': 'text/plain' }],
    ['POST', PERSONAS, JSON.stringify(aPersona()), { 'idempotency-key': 'a b' }],
    ['POST', `${PERSONAS}batch`, '{"operations": [{"op": "explode"}]}'],
    ['PUT', PERSONAS + UNKNOWN_ID, '{}', { 'if-match': '"x' }],
    ['GET', `${PERSONAS}${UNKNOWN_ID}/revisions/99999999999999999999`],
    ['GET', '/api/v1/admin/database/backups/..%2f..%2fetc%2fpasswd'],
  ]

  function expectNothingOf(text: string): void {
    for (const inside of INSIDE) expect(inside.exec(text)?.[0]).toBeUndefined()
  }

  function shown(response: Response): string {
    expect(response.statusCode).toBeGreaterThanOrEqual(400)
    const echoed = [response.json<{ instance?: string }>().instance ?? '', response.headers.date ?? '']
    return echoed.reduce(
      (text, part) => text.replaceAll(JSON.stringify(part).slice(1, -1), ''),
      JSON.stringify(response.headers) + response.body,
    )
  }

  it.each(refusals)('a refusal tells nothing of the inside: %s %s %j', async (method, url, body = '', headers = {}) => {
    const response = await app().send(method, url, {
      headers: { ...(body !== '' && { 'content-type': 'application/json' }), ...headers },
      ...(body !== '' && { payload: body }),
    })
    expectNothingOf(shown(response).replaceAll("'; DROP TABLE personas; --", ''))
  })

  it('nor does what is no HTTP', async () => {
    for (const bytes of ['garbage\r\n\r\n', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`]) {
      const socket = connect(await app().port(), '127.0.0.1')
      let answer = ''
      socket.on('data', (chunk) => (answer += chunk.toString()))
      socket.on('error', () => undefined)
      socket.write(bytes)
      await once(socket, 'close')
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /)
      expectNothingOf(answer)
    }
  })

  it('nor does an error that nobody foresaw', async () => {
    failWith(broken(), new Error('SELECT secret FROM /src/inside.ts:1'))
    for (const response of [
      await broken().get(PERSONAS + UNKNOWN_ID),
      await broken().sendJson('POST', PERSONAS, aPersona()),
    ]) {
      expect(response.statusCode).toBe(500)
      expectNothingOf(shown(response))
    }
  })

  it('nor does a database that has lost its tables', async () => {
    await app().create()
    await app().execute('ALTER TABLE personas RENAME TO gone')
    const calls: (readonly [Method, string])[] = [
      ['GET', PERSONAS],
      ['GET', PERSONAS + UNKNOWN_ID],
      ['POST', PERSONAS],
      ['PUT', PERSONAS + UNKNOWN_ID],
      ['GET', '/health'],
    ]
    for (const [method, url] of calls) {
      const response = await app().sendJson(method, url, method === 'GET' ? undefined : aPersona())
      expect(response.statusCode).toBeGreaterThanOrEqual(500)
      // The database is named where that is asked.
      expectNothingOf(shown(response).replace(`"provider":"${app().app.get(Database).provider}"`, ''))
    }
  })
})
