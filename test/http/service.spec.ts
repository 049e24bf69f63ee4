import { describe, expect, it } from '@jest/globals'
import { Database } from '../../src/database/database.js'
import { packageInfo } from '../../src/package-root.js'
import { onEachDatabase } from '../support/databases.js'
import { PERSONAS, withApp } from './support.js'

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

onEachDatabase((kind) => {
  const app = withApp(kind)

  describe('GET /', () => {
    it('tells name, version, status and links that work', async () => {
      const response = await app().get('/')
      expect(response.statusCode).toBe(200)
      const { links, ...rest } = response.json<{ links: Record<string, string> }>()
      expect(rest).toEqual({ name: packageInfo.name, version: packageInfo.version, status: 'operational' })
      expect(Object.keys(links)).toEqual(expect.arrayContaining(['personas', 'health', 'docs', 'openapi']))
      for (const url of Object.values(links)) expect((await app().get(url)).statusCode).toBe(200)
    })
  })

  describe('health', () => {
    it('GET /health tells how the database is', async () => {
      const response = await app().get('/health')
      expect(response.statusCode).toBe(200)
      expect(response.headers['cache-control']).toBe('no-store')
      expect(response.json()).toEqual({
        status: 'healthy',
        database: 'healthy',
        timestamp: expect.stringMatching(TIMESTAMP),
        version: packageInfo.version,
        details: {
          provider: kind.toLowerCase(),
          read: 'healthy',
          write: 'healthy',
          latency_ms: expect.any(Number),
          uptime_seconds: expect.any(Number),
        },
      })
    })

    it.each([
      ['/health/live', { status: 'alive' }],
      ['/health/ready', { status: 'ready' }],
    ])('GET %s', async (url, body) => {
      const response = await app().get(url)
      expect([response.statusCode, response.json()]).toEqual([200, body])
    })
  })

  describe('health when the database does not answer', () => {
    const broken = withApp(kind)
    const breakIt = () => {
      broken().app.get(Database).probe = () => Promise.reject(new Error('SQLITE_CANTOPEN /secret/place'))
    }

    it.each([
      ['/health', { status: 'unhealthy', database: 'unhealthy' }],
      ['/health/ready', { status: 'not ready', reason: 'the database does not answer' }],
    ])('GET %s answers 503 with Retry-After and no internals', async (url, body) => {
      breakIt()
      const response = await broken().get(url)
      expect(response.statusCode).toBe(503)
      expect(Number(response.headers['retry-after'])).toBeGreaterThan(0)
      expect(response.json()).toMatchObject(body)
      expect(response.body).not.toContain('secret')
    })

    it('GET /health tells a database that only reads apart from one that is well', async () => {
      const database = broken().app.get(Database)
      database.probe = () => Promise.resolve()
      database.probeWrite = () => Promise.reject(new Error('SQLITE_READONLY'))
      const response = await broken().get('/health')
      expect(response.statusCode).toBe(503)
      expect(response.json()).toMatchObject({ status: 'unhealthy', details: { read: 'healthy', write: 'unhealthy' } })
    })

    it('GET /health/live is 200 all the same', async () => {
      breakIt()
      expect((await broken().get('/health/live')).statusCode).toBe(200)
    })
  })

  describe('readiness', () => {
    const lacking = withApp(kind, { DISK_FREE_MIN_BYTES: String(Number.MAX_SAFE_INTEGER) })

    it('fails while a migration is missing, and says which', async () => {
      await app().execute("UPDATE _prisma_migrations SET migration_name = 'x' || migration_name")
      const response = await app().get('/health/ready')
      await app().execute('UPDATE _prisma_migrations SET migration_name = substr(migration_name, 2)')
      expect(response.statusCode).toBe(503)
      expect(response.json()).toMatchObject({ reason: expect.stringMatching(/^the schema is ahead \(x\d+/) })
      expect((await app().get('/health/ready')).statusCode).toBe(200)
    })

    it('fails when the disk is nearly full, where the disk is ours', async () => {
      const response = await lacking().get('/health/ready')
      const reason = { status: 'not ready', reason: 'the disk is nearly full' }
      expect(response.json()).toEqual(kind === 'SQLite' ? reason : { status: 'ready' })
    })
  })

  describe('X-Request-Id', () => {
    const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

    it.each(['a', 'req-1', '7f9c:2/3', '0af7651916cd43dd8448eb211c80319c', 'A.b_c+d=e@f', 'x'.repeat(128)])(
      'is the client\'s own: "%s"',
      async (id) => {
        expect((await app().get('/', { 'x-request-id': id })).headers['x-request-id']).toBe(id)
      },
    )

    it.each<[string, string | string[]]>([
      ['empty', ''],
      ['too long', 'x'.repeat(129)],
      ['with a space', 'a b'],
      ['with markup', '<script>'],
      ['with a quote', '"; drop'],
      ['not ASCII', 'é'],
      ['twice', ['one', 'two']],
    ])('is a new one if that is not sane: %s', async (_label, id) => {
      expect((await app().get('/', { 'x-request-id': id })).headers['x-request-id']).toMatch(UUID)
    })

    it('is new for every request', async () => {
      const [one, two] = [await app().get('/'), await app().get('/')]
      expect(one.headers['x-request-id']).toMatch(UUID)
      expect(one.headers['x-request-id']).not.toBe(two.headers['x-request-id'])
    })

    it.each([
      ['a refused body', 'POST', PERSONAS, '{'],
      ['an unknown path', 'POST', '/nowhere', '{}'],
      ['another method', 'PUT', PERSONAS, '{}'],
      ['a path that is not percent-encoding', 'POST', `${PERSONAS}%zz`, '{}'],
      ['OPTIONS', 'OPTIONS', PERSONAS, ''],
    ] as const)('is on an answer to %s', async (_label, method, url, payload) => {
      const response = await app().sendText(method, url, payload, { 'x-request-id': 'mine' })
      expect(response.headers['x-request-id']).toBe('mine')
    })

    it('is in the log line of the request, which holds neither body nor query', async () => {
      await app().sendJson('POST', `${PERSONAS}?token=hush`, { name: 'hush' }, { 'x-request-id': 'logged' })
      const lines = app().log.filter((line) => line.requestId === 'logged')
      expect(lines).toEqual([
        expect.objectContaining({
          method: 'POST',
          route: '/api/v1/personas',
          status: 422,
          durationMs: expect.any(Number),
        }),
      ])
      expect(JSON.stringify(lines)).not.toContain('hush')
    })
  })

  describe('X-Worker', () => {
    it('is absent when there is one process', async () => {
      expect((await app().get('/')).headers).not.toHaveProperty('x-worker')
    })

    const third = withApp(kind, {}, 3)

    it.each(['/', '/nowhere', `${PERSONAS}%zz`, `${PERSONAS}nobody`])(
      'names the worker on every answer, errors included: %s',
      async (url) => {
        expect((await third().get(url)).headers['x-worker']).toBe('3')
      },
    )
  })
})
