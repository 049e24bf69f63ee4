import { describe, expect, it } from '@jest/globals'
import { Keys } from './keys.js'
import { PERSONAS, problemOf, UNKNOWN_ID, withApp } from './support.js'

// No header of these depends on what is stored: one database is enough.
const DATABASE = 'SQLite'
const ORIGIN = 'https://app.example'
const GENERATIONS = `${PERSONAS}${UNKNOWN_ID}/generations`

describe('what browsers are told', () => {
  const app = withApp(DATABASE)
  const secured = withApp(DATABASE, { HSTS_MAX_AGE_SECONDS: '600', CORS_ORIGINS: ORIGIN })

  it.each([
    ['/', 200],
    ['/docs', 200],
    ['/nowhere', 404],
    [`${PERSONAS}x`, 404],
    ['/?', 200],
  ])('comes with %s', async (url, status) => {
    const { statusCode, headers } = await app().get(url)
    expect(statusCode).toBe(status)
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'content-security-policy': expect.stringMatching(/default-src 'none';.*frame-ancestors 'none'/),
    })
    expect(headers).not.toHaveProperty('strict-transport-security')
  })

  it('is HTTPS alone when HSTS_MAX_AGE_SECONDS says so', async () => {
    expect((await secured().get('/')).headers['strict-transport-security']).toBe('max-age=600')
  })

  it('lets the page of the documentation load what it is made of', async () => {
    const { body, headers } = await app().get('/docs')
    const policy = String(headers['content-security-policy'])
    const sources = [...body.matchAll(/<(?:script|link)\b[^>]*(?:src|href)="([^"]+)"/g)].map(
      ([, source = '']) => source,
    )
    expect(sources.length).toBeGreaterThan(3)
    expect(sources.filter((source) => /^(https?:)?\/\//.test(source))).toEqual([])
    expect([...body.matchAll(/<script\b(?![^>]*\bsrc=)/g)]).toEqual([])
    expect(policy).toMatch(/script-src 'self';/)
    expect(policy).toMatch(/style-src 'self' 'unsafe-inline';/)
    expect(policy).toMatch(/img-src 'self' data:;/)
  })

  it.each<[string, Record<string, string>, number]>([
    ['a page of another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, 403],
    ['a form of another origin', { origin: 'https://evil.example' }, 403],
    ['its own page', { 'sec-fetch-site': 'same-origin', origin: 'http://localhost:80' }, 404],
    ['no browser', {}, 404],
  ])('a request that needs no permission by CORS is carried out, or not, for %s', async (_who, headers, status) => {
    const response = await app().send('POST', GENERATIONS, { headers })
    expect(response.statusCode).toBe(status)
    if (status !== 403) return
    expect(problemOf(response, 403).type).toBe('urn:gator-personas:problem:cross-origin')
    expect(app().log.at(-2)).toMatchObject({ msg: 'access refused', reason: 'cross-origin', method: 'POST' })
  })

  it('lets a permitted origin write, and read why it was refused', async () => {
    const page = { 'sec-fetch-site': 'cross-site', origin: ORIGIN }
    const permitted = await secured().send('POST', GENERATIONS, { headers: page })
    expect(permitted.statusCode).toBe(404)
    await new Keys(secured).create(['admin'])
    const refused = await secured().get(PERSONAS, page)
    expect([refused.statusCode, refused.headers['access-control-allow-origin']]).toEqual([401, ORIGIN])
    expect(String(refused.headers['access-control-expose-headers'])).toContain('WWW-Authenticate')
    const preflight = {
      ...page,
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'authorization',
    }
    const asked = await secured().send('OPTIONS', PERSONAS, { headers: preflight })
    expect([asked.statusCode, asked.headers['access-control-allow-headers']]).toEqual([204, 'authorization'])
  })
})
