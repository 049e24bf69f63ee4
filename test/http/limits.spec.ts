import { describe, expect, it } from '@jest/globals'
import { withApp } from './support.js'

// How often, under which name and from where somebody asks has nothing to do with what is stored: one database is enough.
const DATABASE = 'SQLite'
const LIMIT = 5
const HEALTH = '/health/live'
const from = (remoteAddress: string, headers: Record<string, string> = {}) => ({ remoteAddress, headers })

describe('RATE_LIMIT_PER_MINUTE', () => {
  const app = withApp(DATABASE, { RATE_LIMIT_PER_MINUTE: String(LIMIT), TRUST_PROXY: '10.1.0.0/16' })
  const ask = (options: ReturnType<typeof from>, url = '/') => app().send('GET', url, options)

  it('is told with each answer; the first one beyond it is 429 with Retry-After', async () => {
    for (let left = LIMIT - 1; left >= 0; left--) {
      const { statusCode, headers } = await ask(from('10.0.0.1'))
      expect([statusCode, headers['ratelimit-policy']]).toEqual([200, `"minute";q=${LIMIT};w=60`])
      expect(headers.ratelimit).toMatch(new RegExp(`^"minute";r=${left};t=(60|[1-5]\\d)$`))
    }
    const { statusCode, headers } = await ask(from('10.0.0.1'))
    expect([statusCode, headers.ratelimit]).toEqual([429, expect.stringContaining('r=0')])
    expect(Number(headers['retry-after'])).toBeGreaterThan(30)
  })

  it('is the limit of an address, and not of what orchestrators ask', async () => {
    for (let n = 0; n <= LIMIT; n++) await ask(from('10.0.0.2'))
    const statuses = [ask(from('10.0.0.2')), ask(from('10.0.0.3')), ask(from('10.0.0.2'), HEALTH)]
    expect((await Promise.all(statuses)).map(({ statusCode }) => statusCode)).toEqual([429, 200, 200])
  })

  it('believes a proxy that is trusted, and nobody else, whom it asks for', async () => {
    const lastOf = async (address: string) => {
      for (let n = 0; n < LIMIT; n++) await ask(from(address, { 'x-forwarded-for': `192.0.2.${n}` }))
      return (await ask(from(address, { 'x-forwarded-for': '192.0.2.99' }))).statusCode
    }
    expect([await lastOf('10.1.2.3'), await lastOf('10.2.0.1')]).toEqual([200, 429])
    expect(app().log.at(-2)).toMatchObject({ msg: 'access refused', reason: 'rate-limit', address: '10.2.0.1' })
  })

  it.each([
    ['IPv4', (port: number) => `192.0.2.77:${port}`, '192.0.2.77'],
    ['IPv6', (port: number) => `[2001:db8::7]:${port}`, '2001:db8::7'],
    ['a second proxy', (port: number) => `192.0.2.78:${port}, 10.1.9.9:${port}`, '192.0.2.78'],
  ])('is one limit for all ports that a proxy names with an address (%s)', async (_what, client, address) => {
    const asked = []
    for (let port = 1; port <= LIMIT + 1; port++)
      asked.push((await ask(from('10.1.2.3', { 'x-forwarded-for': client(port) }))).statusCode)
    expect(asked).toEqual([...Array<number>(LIMIT).fill(200), 429])
    expect(app().log.at(-2)).toMatchObject({ reason: 'rate-limit', address })
  })
})

describe('the Host header', () => {
  const loopback = withApp(DATABASE)
  const named = withApp(DATABASE, { ALLOWED_HOSTS: 'api.example,[2001:db8::1]' })
  const status = async (app: typeof named, host: string, url = '/') => (await app().get(url, { host })).statusCode

  it.each([
    ...['localhost', 'LOCALHOST:8000', 'localhost.', '127.0.0.1:8000', '127.8.9.10', '[::1]', '[::1]:8000'].map(
      (host) => [host, 200] as const,
    ),
    ...['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '10.0.0.7', '[::2]', 'localhost:x'].map(
      (host) => [host, 421] as const,
    ),
  ])('%j is answered with %i by a server for loopback', async (host, expected) => {
    expect(await status(loopback, host)).toBe(expected)
  })

  it('must be one of ALLOWED_HOSTS, but for what orchestrators ask', async () => {
    const hosts = ['api.example', 'API.example:443', '[2001:db8::1]:8000', 'localhost', 'x.api.example']
    expect(await Promise.all(hosts.map((host) => status(named, host)))).toEqual([200, 200, 200, 421, 421])
    expect(await status(named, '10.0.0.7:8000', HEALTH)).toBe(200)
  })

  it('that names another host is refused with a problem, on a path that there is not too', async () => {
    const response = await named().get('/nowhere', { host: 'evil.example' })
    expect(response.json()).toMatchObject({ status: 421, type: 'urn:gator-personas:problem:host-not-allowed' })
  })
})
