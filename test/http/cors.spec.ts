import { describe, expect, it } from '@jest/globals'
import { PERSONAS, withApp } from './support.js'

// No header of CORS depends on what is stored: one database is enough.
const DATABASE = 'SQLite'
const ORIGIN = 'https://app.example'
const preflight = {
  origin: ORIGIN,
  'access-control-request-method': 'PUT',
  'access-control-request-headers': 'if-match',
}

describe('with CORS_ORIGINS', () => {
  const app = withApp(DATABASE, { CORS_ORIGINS: `${ORIGIN},https://other.example` })

  it('lets a permitted origin read the headers that it needs', async () => {
    const { headers } = await app().send('GET', PERSONAS, { headers: { origin: ORIGIN } })
    expect(headers['access-control-allow-origin']).toBe(ORIGIN)
    expect(String(headers['access-control-expose-headers'])).toMatch(/ETag.*X-Total-Count/)
    expect(String(headers.vary)).toMatch(/origin/i)
  })

  it('does not name another origin', async () => {
    const { headers, statusCode } = await app().send('GET', PERSONAS, { headers: { origin: 'https://evil.example' } })
    expect(statusCode).toBe(200)
    expect(headers['access-control-allow-origin']).not.toBe('https://evil.example')
  })

  it('answers a preflight with the methods, Allow and the request id', async () => {
    const { headers, statusCode } = await app().send('OPTIONS', PERSONAS, { headers: preflight })
    expect(statusCode).toBe(204)
    expect(headers['access-control-allow-origin']).toBe(ORIGIN)
    expect(String(headers['access-control-allow-methods'])).toMatch(/PATCH/)
    expect(headers.allow).toBe('GET, HEAD, POST, OPTIONS')
    expect(headers['x-request-id']).toBeDefined()
  })

  it('answers OPTIONS that is no preflight as without CORS', async () => {
    const { headers, statusCode } = await app().send('OPTIONS', PERSONAS)
    expect([statusCode, headers.allow]).toEqual([204, 'GET, HEAD, POST, OPTIONS'])
  })
})

describe('without CORS_ORIGINS', () => {
  const app = withApp(DATABASE)

  it('permits no origin', async () => {
    const { headers } = await app().send('OPTIONS', PERSONAS, { headers: preflight })
    expect(headers['access-control-allow-origin']).toBeUndefined()
  })
})
