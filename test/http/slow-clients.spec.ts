import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it } from '@jest/globals'
import { PERSONAS, withApp } from './support.js'

const HEADERS_TIMEOUT_MS = 300
/** So much later that the one cannot be taken for the other: Node looks at its connections once a second. */
const REQUEST_TIMEOUT_MS = 4_000
const HEAD = `POST ${PERSONAS} HTTP/1.1\r\nHost: localhost\r\n`

// Who is slow has nothing to do with what is stored: one database is enough.
describe('a client that sends its request slowly', () => {
  const app = withApp('SQLite', {
    HEADERS_TIMEOUT_MS: String(HEADERS_TIMEOUT_MS),
    REQUEST_TIMEOUT_MS: String(REQUEST_TIMEOUT_MS),
  })

  it.each([
    ['headers', HEADERS_TIMEOUT_MS, HEAD, 'X-Slow: x\r\n'],
    ['body', REQUEST_TIMEOUT_MS, `${HEAD}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`, ' '],
  ])(
    '(its %s) is answered with 408 and has to go, and others are served meanwhile',
    async (_part, timeoutMs, start, more) => {
      const socket = connect(await app().port(), '127.0.0.1')
      let answer = ''
      socket.on('data', (chunk) => (answer += chunk.toString()))
      socket.on('error', () => undefined)
      const since = performance.now()
      socket.write(start)
      const drip = setInterval(() => socket.write(more), timeoutMs / 10)
      try {
        expect((await app().get('/')).statusCode).toBe(200)
        await once(socket, 'close')
      } finally {
        clearInterval(drip)
      }
      expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n.*application\/problem\+json/s)
      const tookMs = performance.now() - since
      expect(tookMs).toBeGreaterThan(timeoutMs)
      if (timeoutMs === HEADERS_TIMEOUT_MS) expect(tookMs).toBeLessThan(REQUEST_TIMEOUT_MS)
    },
  )
})
