import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it } from '@jest/globals'
import type { Problem } from '../../src/http/problem.js'
import { onEachDatabase } from '../support/databases.js'
import { aPersona, PERSONAS, UNKNOWN_ID, withApp } from './support.js'

const CRLF = '\r\n'
const CHUNKED = `POST ${PERSONAS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`

interface RawResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

onEachDatabase((kind) => {
  const app = withApp(kind)

  /** Sends bytes to the server as they are and reads until it closes the connection. */
  async function exchange(...parts: (string | Buffer)[]): Promise<string> {
    const socket = connect(await app().port(), '127.0.0.1')
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    // The server may close before it has read everything.
    socket.on('error', () => undefined)
    for (const part of parts) socket.write(part)
    await once(socket, 'close')
    return Buffer.concat(chunks).toString('utf8')
  }

  function parse(text: string): RawResponse {
    const [head = '', ...rest] = text.split(CRLF + CRLF)
    const [statusLine = '', ...lines] = head.split(CRLF)
    const headers = lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
    })
    return {
      status: Number(statusLine.split(' ')[1]),
      headers: Object.fromEntries(headers) as Record<string, string>,
      body: rest.join(CRLF + CRLF),
    }
  }

  /** One request, after which the client wants no other. */
  async function request(
    method: string,
    url: string,
    headers: readonly string[] = [],
    body: string | Buffer = '',
  ): Promise<RawResponse> {
    const head = [`${method} ${url} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...headers].join(CRLF)
    return parse(await exchange(head + CRLF + CRLF, body))
  }

  function postJson(body: string | Buffer, ...headers: string[]): Promise<RawResponse> {
    const all = ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`, ...headers]
    return request('POST', PERSONAS, all, body)
  }

  function expectProblem(response: RawResponse, status: number): Problem {
    expect(response.status).toBe(status)
    expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8')
    expect(response.headers['x-request-id']).toMatch(/./)
    expect(response.headers['content-length']).toBe(String(Buffer.byteLength(response.body)))
    const problem = JSON.parse(response.body) as Problem
    expect(problem).toMatchObject({ type: expect.any(String), title: expect.any(String), status })
    expect(problem.detail).toMatch(/./)
    return problem
  }

  describe('what is not HTTP', () => {
    it.each([
      ['garbage', 'Hello, are you there?\r\n\r\n'],
      ['TLS', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03])],
      ['an unknown method', 'FETCH / HTTP/1.1\r\nHost: x\r\n\r\n'],
      ['a broken header', 'GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n'],
      ['a bad length', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n'],
      [
        'two framings',
        `POST ${PERSONAS} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}`,
      ],
      ['two lengths', `POST ${PERSONAS} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}`],
      ['a chunk with an extension of 40,000 characters', `${CHUNKED}1;${'x'.repeat(40_000)}\r\n{\r\n0\r\n\r\n`],
      ['a framing that another may read otherwise', `${CHUNKED.replace(': chunked', ' : chunked')}0\r\n\r\n`],
      ['lines without CR', 'GET / HTTP/1.1\nHost: localhost\n\n'],
      ['NUL in a header', 'GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n'],
    ])('is answered with 400 and the connection is closed: %s', async (_label, bytes) => {
      const response = parse(await exchange(bytes))
      expectProblem(response, 400)
      expect(response.headers.connection).toBe('close')
    })

    it('is answered with 431 when the headers are too large', async () => {
      const response = await request('GET', '/', [`X-Large: ${'x'.repeat(20_000)}`])
      expect(expectProblem(response, 431).title).toBe('Request Header Fields Too Large')
    })

    it('is not heard by the others', async () => {
      const answers = [exchange('garbage\r\n\r\n'), request('GET', '/health'), request('GET', '/')]
      const [, health, root] = await Promise.all(answers)
      expect([(health as RawResponse).status, (root as RawResponse).status]).toEqual([200, 200])
    })
  })

  describe('a request over a socket', () => {
    it.each([
      ['/nowhere', 404],
      [PERSONAS + UNKNOWN_ID, 404],
      [`${PERSONAS + UNKNOWN_ID}/generations`, 405],
      [`${PERSONAS}?limit=0`, 422],
      [`${PERSONAS}%zz`, 400],
    ])('HEAD %s answers %i without a body', async (url, status) => {
      const [head, get] = await Promise.all([request('HEAD', url), request('GET', url)])
      expect([head.status, head.body, get.status]).toEqual([status, '', status])
      expect(head.headers['content-type']).toBe('application/problem+json; charset=utf-8')
    })

    it('304 has neither body nor length', async () => {
      const { id } = await app().create()
      const response = await request('GET', PERSONAS + id, ['If-None-Match: *'])
      expect([response.status, response.body, response.headers.etag]).toEqual([304, '', '"1.0"'])
      expect(response.headers).not.toHaveProperty('transfer-encoding')
      expect(Number(response.headers['content-length'] ?? 0)).toBe(0)
    })

    it('204 has neither body nor length', async () => {
      const { id } = await app().create()
      const response = await request('DELETE', PERSONAS + id, ['Content-Type: application/json'])
      expect([response.status, response.body]).toEqual([204, ''])
      expect(response.headers).not.toHaveProperty('content-length')
      expect(response.headers).not.toHaveProperty('transfer-encoding')
    })

    it('may be one of several on a connection, good and bad ones', async () => {
      const post = (body: string) =>
        `POST ${PERSONAS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
      const last = `GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`
      const text = await exchange(post('{"name":"a"}') + post(JSON.stringify(aPersona())) + last)
      expect([...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status)).toEqual(['422', '201', '200'])
    })

    it('may be one of a thousand on a connection, which are answered in order, and others are served meanwhile', async () => {
      const one = (n: number) => `GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: n${n}\r\n\r\n`
      const last = `GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`
      const flood = exchange(Array.from({ length: 1_000 }, (_, n) => one(n)).join('') + last)
      expect((await request('GET', '/health')).status).toBe(200)
      const ids = [...(await flood).matchAll(/x-request-id: n(\d+)/g)].map(([, id]) => Number(id))
      expect(ids).toEqual(Array.from({ length: 1_000 }, (_, n) => n))
    })

    it('with thousands of headers keeps what a proxy puts behind them', async () => {
      const { status } = await request('GET', PERSONAS, [...Array<string>(3_000).fill('a:'), 'Via: 1.1 proxy'])
      expect(status).toBe(403)
      expect((await request('GET', PERSONAS, Array<string>(3_000).fill('a:'))).status).toBe(200)
    })

    it('with two Host headers is refused', async () => {
      expectProblem(await request('GET', '/health', ['Host: evil.example']), 400)
    })

    it.each([
      ['a word of 15,000 characters', `q=${'x'.repeat(15_000)}`, 422],
      ['15,000 words', `q=${'x+'.repeat(7_500)}`, 422],
      ['one parameter 1,900 times', 'limit=1&'.repeat(1_900), 422],
      ['1,500 parameters that there are not', Array.from({ length: 1_500 }, (_, n) => `a${n}=1`).join('&'), 200],
      ['names of JavaScript’s own', '__proto__=1&constructor=2&limit[__proto__]=x&toString=3', 200],
      ['NUL and what is no text', 'q=%00&theme=%ED%A0%80&cursor=%00', 422],
      ['more than all headers may have', `q=${'x'.repeat(17_000)}`, 431],
    ])('with %s in its query is answered', async (_what, query, status) => {
      const response = await request('GET', `${PERSONAS}?${query}`)
      if (status === 200) expect(response.status).toBe(200)
      else expectProblem(response, status)
    })

    it('may come byte by byte and in chunks', async () => {
      const body = JSON.stringify(aPersona({ name: 'Zoë 😀' }))
      const chunk = (bytes: Buffer) =>
        Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from(CRLF)])
      const chunks = [...Buffer.from(body)].map((byte) => chunk(Buffer.from([byte])))
      const headers = ['Content-Type: application/json', 'Transfer-Encoding: chunked']
      const response = await request('POST', PERSONAS, headers, Buffer.concat([...chunks, Buffer.from('0\r\n\r\n')]))
      expect(response.status).toBe(201)
      expect(JSON.parse(response.body)).toMatchObject({ name: 'Zoë 😀' })
    })

    it('that expects 100-continue is told to go on', async () => {
      const body = JSON.stringify(aPersona())
      const headers = ['Content-Type: application/json', `Content-Length: ${body.length}`, 'Expect: 100-continue']
      const response = await request('POST', PERSONAS, headers, body)
      expect(response.status).toBe(100)
      expect(response.body).toMatch(/^HTTP\/1\.1 201 /)
    })

    it('that expects anything else is served all the same', async () => {
      const response = await request('GET', '/health', ['Expect: a-miracle', 'X-Request-Id: mine'])
      expect([response.status, response.headers['x-request-id']]).toEqual([200, 'mine'])
    })

    it('that wants to upgrade is served as it is', async () => {
      expect((await request('GET', '/health', ['Upgrade: websocket', 'Connection: upgrade'])).status).toBe(200)
    })

    it('of HTTP/1.0 is served, and needs a key for personas: a proxy that does not give itself away speaks it', async () => {
      expect(await exchange('GET /health/live HTTP/1.0\r\n\r\n')).toMatch(
        /^HTTP\/1\.1 200 OK\r\n.*\{"status":"alive"\}$/s,
      )
      const problem = expectProblem(parse(await exchange(`GET ${PERSONAS} HTTP/1.0\r\n\r\n`)), 403)
      expect(problem.type).toBe('urn:gator-personas:problem:loopback-only')
    })

    it('with too large a body is answered with 413 before all of it was sent', async () => {
      const headers = ['Content-Type: application/json', 'Content-Length: 999999999']
      expectProblem(await request('POST', PERSONAS, headers, '{"name":'), 413)
    })

    it('that ends before its body does leaves nothing behind', async () => {
      const before = await request('GET', `${PERSONAS}?limit=1`)
      const socket = connect(await app().port(), '127.0.0.1')
      const body = JSON.stringify(aPersona())
      socket.write(
        `POST ${PERSONAS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length + 1}\r\n\r\n${body}`,
      )
      socket.end()
      socket.resume()
      await once(socket, 'close')
      expect((await request('GET', `${PERSONAS}?limit=1`)).headers['x-total-count']).toBe(
        before.headers['x-total-count'],
      )
    })
  })

  describe('bytes that are not UTF-8', () => {
    const bytesIn = (bytes: number[]) =>
      Buffer.concat([Buffer.from('{"name":"Sarah '), Buffer.from(bytes), Buffer.from('"}')])

    it.each([
      ['a continuation without a start', [0x80]],
      ['a start without its continuation', [0xc3]],
      ['Latin-1', [0xe9]],
      ['an overlong slash', [0xc0, 0xaf]],
      ['an overlong NUL', [0xc0, 0x80]],
      ['a surrogate', [0xed, 0xa0, 0x80]],
      ['beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
      ['never a byte', [0xff, 0xfe]],
    ])('are refused with 400 and not repaired: %s', async (_label, bytes) => {
      const problem = expectProblem(await postJson(bytesIn(bytes)), 400)
      expect(problem).toMatchObject({ type: 'urn:gator-personas:problem:malformed-body', instance: PERSONAS })
      expect(problem.detail).toContain('UTF-8')
    })

    it.each([
      ['UTF-16', Buffer.from(JSON.stringify(aPersona()), 'utf16le')],
      ['UTF-16 with a byte order mark', Buffer.from(`\ufeff${JSON.stringify(aPersona())}`, 'utf16le')],
    ])('are refused with 400: %s', async (_label, body) => {
      expectProblem(await postJson(body), 400)
    })

    it('are no part of a body that is: every plane, and a byte order mark before it', async () => {
      const name = 'é ߿ ࠀ � 𐀀 \u{10ffff} \ufdd0'
      const response = await postJson(`\ufeff${JSON.stringify(aPersona({ name }))}`)
      expect(response.status).toBe(201)
      expect(JSON.parse(response.body)).toMatchObject({ name })
    })
  })
})
