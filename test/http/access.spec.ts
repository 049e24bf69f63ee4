import { beforeAll, describe, expect, it, jest } from '@jest/globals'
import Fastify from 'fastify'
import type { Logger } from 'pino'
import { ACCESS_REFUSALS } from '../../src/access/access.errors.js'
import { makeKey } from '../../src/access/api-key.js'
import { addGate } from '../../src/access/gate.js'
import { KeyRing } from '../../src/access/key-ring.js'
import { refusalWithoutKeys } from '../../src/access/start-check.js'
import { SETTINGS } from '../../src/config/config.module.js'
import type { Settings } from '../../src/config/settings.js'
import { ProcessMetrics } from '../../src/metrics/process-metrics.js'
import { until } from '../processes/until.js'
import { onEachDatabase } from '../support/databases.js'
import { EventListener } from '../support/event-listener.js'
import { type Bearer, Keys } from './keys.js'
import { filledIn, methodsOf, routedPaths } from './routed.js'
import { aPersona, type Method, PERSONAS, problemOf, withApp } from './support.js'

const ADMIN = '/api/v1/admin/database/info'
/** Every answer that is for everybody, with its status. */
const OPEN: readonly (readonly [Method, string, number])[] = [
  ['GET', '/', 200],
  ['GET', '/health', 200],
  ['GET', '/health/live', 200],
  ['GET', '/health/ready', 200],
  ['GET', '/docs', 200],
  ['GET', '/docs/swagger-ui-init.js', 200],
  ['GET', '/openapi.json', 200],
  ['OPTIONS', PERSONAS, 204],
  ['DELETE', PERSONAS, 405],
  ['GET', '/nowhere', 404],
]

const TRUSTED = '127.0.0.9'

onEachDatabase((kind) => {
  const app = withApp(kind, { TRUST_PROXY: TRUSTED })
  const keys = new Keys(app)
  let reader: { id: string; bearer: Bearer }
  let writer: typeof reader

  const refusals = () => app().log.filter(({ msg }) => msg === 'access refused')
  const counted = async () => {
    const metrics = await app().app.get(ProcessMetrics).snapshot()
    const { values } = metrics.find(({ name }) => name === 'gator_access_refused_total') ?? { values: [] }
    return new Map(values.map(({ labels, value }) => [labels['reason'], value]))
  }
  const list = (headers: Record<string, string> = {}) => app().get(PERSONAS, headers)

  it('needs no key as long as there is none, whatever Authorization says', async () => {
    expect((await list({ authorization: 'Basic eDp5' })).statusCode).toBe(200)
  })

  it.each<[string, number, Record<string, string>, string?]>([
    ['another machine', 403, {}, '10.0.0.7'],
    ['RFC 7239', 403, { forwarded: 'for=10.0.0.7' }],
    ['Via', 403, { via: '1.1 proxy' }],
    ['X-Real-IP', 403, { 'x-real-ip': '10.0.0.7' }],
    ['X-Forwarded-Proto', 403, { 'x-forwarded-proto': 'https' }],
    ['a CDN', 403, { 'cf-connecting-ip': '10.0.0.7' }],
    ['a proxy that nobody trusts', 403, { 'x-forwarded-for': '127.0.0.1' }],
    ['a trusted one that names nobody', 403, { via: '1.1 proxy' }, TRUSTED],
    ['a trusted one that names another machine', 403, { 'x-forwarded-for': '10.0.0.7' }, TRUSTED],
    ['a trusted one, which a client lies to', 403, { 'x-forwarded-for': '127.0.0.1, 10.0.0.7' }, TRUSTED],
    ['a trusted one, behind another', 403, { 'x-forwarded-for': '10.0.0.7, 127.0.0.1' }, TRUSTED],
    ['two headers', 403, { 'x-forwarded-for': '127.0.0.1', 'x-real-ip': '10.0.0.7' }, TRUSTED],
    ['this machine', 200, { 'x-forwarded-for': '127.0.0.1, [::1]:50123', via: '1.1 proxy' }, TRUSTED],
    ['this machine, and no proxy', 200, {}, '::ffff:127.0.0.1'],
  ])('needs one for a request that may be somebody else’s (%s: %i)', async (_whose, status, headers, address = '') => {
    const from = { headers, ...(address && { remoteAddress: address }) }
    for (const url of [PERSONAS, '/metrics', ADMIN])
      expect([url, (await app().send('GET', url, from)).statusCode]).toEqual([url, status])
    expect((await app().send('GET', '/health', from)).statusCode).toBe(200)
    if (status === 200) return
    expect(refusals().at(-1)).toMatchObject({ reason: 'loopback-only' })
    const { type, detail } = problemOf(await app().send('GET', PERSONAS, from), 403)
    expect(type).toBe('urn:gator-personas:problem:loopback-only')
    expect(detail).toMatch(/^Without an API key this is for the machine that the server runs on: /)
  })

  describe('with keys', () => {
    beforeAll(async () => {
      reader = await keys.create(['personas:read'])
      writer = await keys.create(['personas:write'])
    })

    it.each(OPEN)('answers %s %s without one', async (method, url, status) => {
      expect((await app().send(method, url)).statusCode).toBe(status)
    })

    it('lets a key do what it is for, and nothing else', async () => {
      const create = (bearer: Bearer) => app().sendJson('POST', PERSONAS, aPersona(), bearer)
      expect([(await list(reader.bearer)).statusCode, (await create(writer.bearer)).statusCode]).toEqual([200, 201])
      expect((await app().send('HEAD', PERSONAS, { headers: reader.bearer })).statusCode).toBe(200)
      const refused = await create(reader.bearer)
      expect(problemOf(refused, 403)).toMatchObject({
        type: 'urn:gator-personas:problem:scope-missing',
        missing_scope: 'personas:write',
      })
      expect(refused.headers['www-authenticate']).toContain('error="insufficient_scope", scope="personas:write"')
      expect(problemOf(await list(writer.bearer), 403)).toMatchObject({ missing_scope: 'personas:read' })
      expect(problemOf(await app().get('/metrics', writer.bearer), 403)).toMatchObject({
        missing_scope: 'metrics:read',
      })
    })

    it.each<[string, () => Record<string, string>, RegExp]>([
      ['no key', () => ({}), /^Bearer realm="gator-personas"$/],
      ['another scheme', () => ({ authorization: 'Basic eDp5' }), /invalid_token.*no API key/],
      ['a typing error', () => ({ authorization: `${reader.bearer.authorization}x` }), /invalid_token.*no API key/],
      ['an unknown key', () => ({ authorization: `Bearer ${makeKey().key}` }), /invalid_token.*not one of this/],
    ])(
      'answers %s with 401 and says so in WWW-Authenticate, before the body is looked at',
      async (_who, headers, challenge) => {
        const response = await app().sendText('POST', PERSONAS, '{', headers())
        expect(problemOf(response, 401)).toMatchObject({ type: 'urn:gator-personas:problem:unauthenticated' })
        expect(response.headers['www-authenticate']).toMatch(challenge)
      },
    )

    it('tells the right id with a wrong secret from the key, and does not say that the id is right', async () => {
      const other = makeKey()
      const { id, bearer } = await keys.create(['personas:read'])
      await app().execute(`UPDATE api_keys SET id = '${other.id}' WHERE id = '${id}'`)
      await until('the other id is known', async () => (await list(bearer)).statusCode === 401)
      const response = await list({ authorization: `Bearer ${other.key}` })
      expect(problemOf(response, 401).detail).toBe('The API key is not one of this service.')
    })

    it('tells its holder that a key has expired', async () => {
      const { bearer } = await keys.create(['personas:read'], { expiresAt: new Date(1) })
      expect(problemOf(await list(bearer), 401).detail).toBe('The API key has expired.')
    })

    it('warns at the start of keys that may ask without end', async () => {
      const settings = app().app.get<Settings>(SETTINGS)
      const warn = jest.fn()
      const refusalFor = (access: Partial<Settings['access']>) =>
        refusalWithoutKeys({ ...settings, access: { ...settings.access, ...access } }, { warn } as unknown as Logger)
      expect([await refusalFor({ rateLimitPerMinute: 1 }), await refusalFor({})]).toEqual([undefined, undefined])
      expect(warn.mock.calls).toEqual([[expect.stringContaining('RATE_LIMIT_PER_MINUTE')]])
    })

    it('ends the streams of a key that is revoked, and no others', async () => {
      const { id, bearer } = await keys.create(['personas:read'])
      const url = `http://127.0.0.1:${await app().port()}`
      const [revoked, other] = [
        await EventListener.open(url, { headers: bearer }),
        await EventListener.open(url, { headers: reader.bearer }),
      ]
      await keys.store.revoke(id, new Date())
      await until('the stream has ended', () => revoked.ending)
      expect([revoked.ending, other.ending]).toEqual(['in order', undefined])
      other.close()
    })

    it('refuses a revoked key within a second', async () => {
      const { id, bearer } = await keys.create(['personas:read'])
      expect((await list(bearer)).statusCode).toBe(200)
      await keys.store.revoke(id, new Date())
      const since = performance.now()
      const response = await until('the key is refused', async () => {
        const answer = await list(bearer)
        return answer.statusCode === 401 && answer
      })
      expect(performance.now() - since).toBeLessThan(1_000)
      expect(problemOf(response, 401).detail).toBe('The API key was revoked.')
    })

    it('lets a key with the scope administer from anywhere, and nobody else, not even from this machine', async () => {
      const { bearer } = await keys.create(['admin'])
      const from = (headers: Record<string, string>) =>
        app().send('GET', ADMIN, { remoteAddress: '10.0.0.7', headers: { 'x-forwarded-for': '10.0.0.8', ...headers } })
      expect((await from(bearer)).statusCode).toBe(200)
      expect((await from(reader.bearer)).statusCode).toBe(403)
      expect((await app().get(ADMIN)).statusCode).toBe(401)
    })

    it('logs every refusal once, with the id of the key and never the key, and counts it', async () => {
      const before = refusals().length
      const countedBefore = await counted()
      const { authorization } = reader.bearer
      await app().sendJson('POST', PERSONAS, aPersona(), reader.bearer)
      await app().get(PERSONAS)
      await list(reader.bearer)
      expect(refusals().slice(before)).toMatchObject([
        { reason: 'scope', key: reader.id, address: '127.0.0.1', method: 'POST', route: '/api/v1/personas', level: 40 },
        { reason: 'no-key', address: '127.0.0.1', method: 'GET' },
      ])
      expect(app().log.at(-1)).toMatchObject({ msg: 'request', key: reader.id, status: 200 })
      const secret = authorization.split('_').at(-1) ?? ''
      expect(JSON.stringify(app().log)).not.toContain(secret)
      const more = [...(await counted())].map(([reason, count]) => [reason, count - (countedBefore.get(reason) ?? NaN)])
      expect(more).toEqual(ACCESS_REFUSALS.map((reason) => [reason, reason === 'scope' || reason === 'no-key' ? 1 : 0]))
    })

    it('keeps of a key its hash alone, and writes its last use down when it is time, not with each request', async () => {
      const rowOf = async (id: string) => (await app().rows('api_keys')).find((row) => row['id'] === id)
      expect(JSON.stringify(await app().rows('api_keys'))).not.toContain(reader.bearer.authorization.split('_').at(-1))
      expect(await rowOf(reader.id)).toMatchObject({
        hash: expect.stringMatching(/^[0-9a-f]{64}$/),
        last_used_at: null,
      })
      const ring = app().app.get(KeyRing, { strict: false })
      await list(reader.bearer)
      await ring.noteUse()
      expect((await rowOf(reader.id))?.['last_used_at']).not.toBeNull()
    })

    it('stays closed when the last key is revoked, and opens on loopback when all are removed', async () => {
      for (const { id } of await keys.store.list()) await keys.store.revoke(id, new Date())
      await until('the key is refused', async () => (await list(reader.bearer)).statusCode === 401)
      expect((await list()).statusCode).toBe(401)
      await keys.store.removeEnded(new Date())
      await until('it is open', async () => (await list()).statusCode === 200)
    })
  })
})

describe('on an address that others reach, without a key', () => {
  const closed = withApp('SQLite', { HOST: '0.0.0.0' })
  const open = withApp('SQLite', { HOST: '0.0.0.0', ALLOW_UNAUTHENTICATED: 'true' })

  it('answers nobody, on no route but those for everybody', async () => {
    for (const [method, url, status] of OPEN) expect((await closed().send(method, url)).statusCode).toBe(status)
    const isForEverybody = /^\/($|health|docs|openapi\.json)/
    const paths = routedPaths(closed()).filter((path) => !isForEverybody.test(path))
    expect(paths.length).toBeGreaterThan(15)
    for (const path of paths) {
      for (const method of await methodsOf(closed(), path)) {
        const response = await closed().send(method, filledIn(path))
        expect([method, path, response.statusCode]).toEqual([method, path, 401])
      }
    }
  })

  it('answers everybody when it was told to, but for what is for this machine', async () => {
    const remote = { remoteAddress: '10.0.0.7' }
    expect((await open().send('GET', PERSONAS, remote)).statusCode).toBe(200)
    expect((await open().send('GET', ADMIN, remote)).statusCode).toBe(403)
  })
})

describe('a route that does not say who may call it', () => {
  it('is refused to everybody, also where no key is needed', async () => {
    const fastify = Fastify()
    addGate(fastify, { isOpen: true, isOpenToAll: false } as KeyRing, null)
    fastify.get('/declared', { config: { access: 'admin' } }, () => 'in')
    fastify.get('/undeclared', () => 'in')
    const bodies = await Promise.all(['/declared', '/undeclared'].map(async (url) => (await fastify.inject(url)).body))
    expect(bodies).toEqual(['in', expect.stringContaining('Nobody may call this.')])
  })
})
