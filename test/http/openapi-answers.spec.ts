import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { DatabaseUnavailableError, StorageFullError } from '../../src/database/database-errors.js'
import { Database } from '../../src/database/database.js'
import { onEachDatabase } from '../support/databases.js'
import { Idempotency } from '../../src/idempotency/idempotency.service.js'
import { IdempotencyKeyInUseError } from '../../src/idempotency/idempotency.errors.js'
import { failWith } from './faulty-repository.js'
import { type Bearer, Keys } from './keys.js'
import { DocumentValidator, type OpenApi, operationsOf, type Place, readDocument } from './openapi.js'
import { aPersona, MERGE_PATCH, type Method, PERSONAS, type Response, UNKNOWN_ID, withApp } from './support.js'

const WORKER = 2
/** More than there are operations. */
const LIMIT = 40

onEachDatabase((kind) => {
  const app = withApp(kind, { RATE_LIMIT_PER_MINUTE: '100000' }, WORKER)
  // Its repositories fail, and it takes no blind write.
  const broken = withApp(kind, { REQUIRE_IF_MATCH: 'true', RATE_LIMIT_PER_MINUTE: '100000' }, WORKER)
  // It needs keys, and one of them has asked too often.
  const guarded = withApp(kind, { RATE_LIMIT_PER_MINUTE: String(LIMIT) }, WORKER)
  const keys = new Keys(guarded)
  let useless: Bearer
  let exhausted: Bearer

  const LENIENT = { prefer: 'handling=lenient' }
  const TOO_LARGE = Buffer.alloc(1_048_577, 'x')
  const UNKNOWN = PERSONAS + UNKNOWN_ID
  const plain = { 'content-type': 'text/plain' }
  const stale = { 'if-match': '"99.0"' }
  const first = { 'if-match': '"1.0"' }
  const any = { 'if-match': '*' }
  const failed = (error: Error, call: () => Promise<Response>) => {
    failWith(broken(), error)
    return call()
  }
  const away = new DatabaseUnavailableError('The database is away.')
  const full = new StorageFullError()
  const unforeseen = new Error('unforeseen')
  /** The answer to a request that was sent before. */
  const replayed = async (call: () => Promise<Response>) => {
    await call()
    return call()
  }
  const inUse = (call: () => Promise<Response>) => {
    broken().app.get(Idempotency, { strict: false }).answer = () => Promise.reject(new IdempotencyKeyInUseError())
    return call()
  }
  const keyed = (key: string) => ({ 'idempotency-key': key })
  const failedTogether = (error: Error, call: () => Promise<Response>) => {
    broken().app.get(Database).unitOfWork = () => Promise.reject(error)
    return call()
  }
  const isHealthy = (answer: boolean) => {
    broken().app.get(Database).probe = () => (answer ? Promise.resolve() : Promise.reject(away))
  }
  let url = ''
  /** Of a persona at version 3 that is what it was at version 1. */
  let fresh = ''

  type Call = readonly [operationId: string, status: number, send: () => Promise<Response>]

  /** The answer to a request for a stream, with the first that comes of it in place of a body. */
  async function firstBlockOf(target: string): Promise<Response> {
    const response = await app().send('GET', target, { payloadAsStream: true })
    const stream = response.stream()
    const [block] = (await once(stream, 'data')) as [Buffer]
    stream.destroy()
    const { statusCode, headers } = response
    return { statusCode, headers, json: () => block.toString('utf8') } as unknown as Response
  }

  /** The answers that every call with a body has. */
  function bodyCalls(operationId: string, method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', target: () => string): Call[] {
    return [
      [operationId, 400, () => app().sendText(method, target(), '{')],
      [operationId, 413, () => app().sendText(method, target(), TOO_LARGE)],
      [operationId, 415, () => app().sendText(method, target(), 'x', plain)],
      [operationId, 500, () => failed(unforeseen, () => broken().sendJson(method, target(), aPersona(), any))],
      [operationId, 503, () => failed(away, () => broken().sendJson(method, target(), aPersona(), any))],
      [operationId, 507, () => failed(full, () => broken().sendJson(method, target(), aPersona(), any))],
    ]
  }

  /** The answers that every call has which reads. */
  function readCalls(operationId: string, target: () => string): Call[] {
    return [
      [operationId, 500, () => failed(unforeseen, () => broken().get(target()))],
      [operationId, 503, () => failed(away, () => broken().get(target()))],
    ]
  }

  /** The answers that every call has which needs a key. */
  function guardedCalls(operationId: string, method: Method, target: () => string): Call[] {
    const send = (headers: Record<string, string> = {}) => guarded().send(method, target(), { headers })
    return [
      [operationId, 401, () => send()],
      [operationId, 403, () => send(useless)],
      [operationId, 429, () => send(exhausted)],
    ]
  }

  const BATCH = `${PERSONAS}batch`
  const batchOf = (operation: object = { op: 'create', body: aPersona() }) => ({ operations: [operation] })
  const generations = () => `${url}/generations`
  const revisions = () => `${url}/revisions`
  const restore = () => `${url}/revisions/1/restore`

  const CALLS: Call[] = [
    ['getService', 200, () => app().get('/')],
    ['getHealth', 200, () => app().get('/health')],
    ['getHealth', 503, () => (isHealthy(false), broken().get('/health'))],
    ['getLiveness', 200, () => app().get('/health/live')],
    ['getReadiness', 200, () => app().get('/health/ready')],
    ['getReadiness', 503, () => (isHealthy(false), broken().get('/health/ready'))],
    [
      'createPersona',
      201,
      () =>
        replayed(() => app().sendJson('POST', PERSONAS, aPersona({ extra: 1 }), { ...LENIENT, ...keyed('create') })),
    ],
    ['createPersona', 409, () => inUse(() => broken().sendJson('POST', PERSONAS, aPersona(), keyed('in-use')))],
    ['createPersona', 422, () => app().sendJson('POST', PERSONAS, {})],
    ...bodyCalls('createPersona', 'POST', () => PERSONAS),
    ['listPersonas', 200, () => app().get(`${PERSONAS}?sort=name&total=true&limit=3`)],
    ['listPersonas', 422, () => app().get(`${PERSONAS}?limit=x&skip=-1`)],
    ...readCalls('listPersonas', () => PERSONAS),
    ['getPersona', 200, () => app().get(url)],
    ['getPersona', 304, () => app().get(url, { 'if-none-match': '*' })],
    ['getPersona', 404, () => app().get(UNKNOWN)],
    ['getPersona', 422, () => app().get(`${url}?as_of=x`)],
    ...readCalls('getPersona', () => UNKNOWN),
    [
      'updatePersona',
      200,
      () => app().sendJson('PUT', url, { base_image_path: 'a.png', extra: 1 }, { ...LENIENT, ...first }),
    ],
    ['updatePersona', 404, () => app().sendJson('PUT', UNKNOWN, {})],
    ['updatePersona', 412, () => app().sendJson('PUT', url, { name: 'Stale', is_active: false }, first)],
    ['updatePersona', 428, () => broken().sendJson('PUT', url, {})],
    ['updatePersona', 422, () => app().sendJson('PUT', url, { name: 'a', 'b/c': 1 })],
    ...bodyCalls('updatePersona', 'PUT', () => url),
    [
      'patchPersona',
      200,
      () => {
        const headers = { 'content-type': MERGE_PATCH, ...LENIENT, ...first, ...keyed('patch') }
        return replayed(() => app().sendJson('PATCH', url, { extra: 1 }, headers))
      },
    ],
    ['patchPersona', 409, () => inUse(() => broken().sendJson('PATCH', url, {}, { ...first, ...keyed('in-use') }))],
    ['patchPersona', 404, () => app().sendJson('PATCH', UNKNOWN, { style_preferences: {} })],
    ['patchPersona', 412, () => app().sendJson('PATCH', url, { name: 'Stale' }, stale)],
    ['patchPersona', 428, () => broken().sendJson('PATCH', url, {})],
    ['patchPersona', 422, () => app().sendJson('PATCH', url, { default_content_rating: 'nsfw' })],
    ...bodyCalls('patchPersona', 'PATCH', () => url),
    ['deletePersona', 412, () => app().send('DELETE', url, { headers: first })],
    ['deletePersona', 428, () => broken().send('DELETE', url)],
    ['deletePersona', 204, () => app().send('DELETE', url)],
    ['deletePersona', 404, () => app().send('DELETE', UNKNOWN)],
    ...bodyCalls('deletePersona', 'DELETE', () => url),
    [
      'countGenerations',
      200,
      () => replayed(() => app().sendJson('POST', generations(), { extra: 1 }, { ...LENIENT, ...keyed('count') })),
    ],
    ['countGenerations', 409, () => inUse(() => broken().sendJson('POST', generations(), {}, keyed('in-use')))],
    ['countGenerations', 404, () => app().send('POST', `${UNKNOWN}/generations`)],
    ['countGenerations', 422, () => app().sendJson('POST', generations(), { count: 0 })],
    // A persona's fields are none of theirs: what fails must fail behind the validation.
    ...bodyCalls('countGenerations', 'POST', generations).filter(([, status]) => status < 500),
    ...([500, 503, 507] as const).map((status): Call => {
      const error = { 500: unforeseen, 503: away, 507: full }[status]
      return ['countGenerations', status, () => failed(error, () => broken().send('POST', generations()))]
    }),
    [
      'writeBatch',
      200,
      () => {
        const operations = [
          { op: 'create', body: aPersona({ extra: 1 }) },
          { op: 'delete', id: UNKNOWN_ID },
        ]
        const headers = { ...LENIENT, ...keyed('batch') }
        return replayed(() => app().sendJson('POST', BATCH, { mode: 'each', operations }, headers))
      },
    ],
    ['writeBatch', 404, () => app().sendJson('POST', BATCH, batchOf({ op: 'delete', id: UNKNOWN_ID }))],
    ['writeBatch', 409, () => inUse(() => broken().sendJson('POST', BATCH, batchOf(), keyed('in-use')))],
    [
      'writeBatch',
      412,
      () => app().sendJson('POST', BATCH, batchOf({ op: 'delete', id: url.split('/').at(-1), if_match: '"9.0"' })),
    ],
    ['writeBatch', 428, () => broken().sendJson('POST', BATCH, batchOf({ op: 'delete', id: UNKNOWN_ID }))],
    ['writeBatch', 422, () => app().sendJson('POST', BATCH, batchOf({ op: 'create', body: {} }))],
    ...bodyCalls('writeBatch', 'POST', () => BATCH).filter(([, status]) => status < 500),
    ...([500, 503, 507] as const).map((status): Call => {
      const error = { 500: unforeseen, 503: away, 507: full }[status]
      return ['writeBatch', status, () => failedTogether(error, () => broken().sendJson('POST', BATCH, batchOf()))]
    }),
    ['streamChanges', 200, () => firstBlockOf(`${PERSONAS}events`)],
    ['streamChanges', 422, () => app().get(`${PERSONAS}events?after=a&after=b`)],
    ...readCalls('streamChanges', () => `${PERSONAS}events`),
    ['listChanges', 200, () => app().get(`${PERSONAS}changes?after=0-0&limit=3`)],
    ['listChanges', 422, () => app().get(`${PERSONAS}changes?limit=0`)],
    ...readCalls('listChanges', () => `${PERSONAS}changes`),
    ['listRevisions', 200, () => app().get(`${revisions()}?limit=1`)],
    ['listRevisions', 404, () => app().get(`${UNKNOWN}/revisions`)],
    ['listRevisions', 422, () => app().get(`${revisions()}?limit=0`)],
    ...readCalls('listRevisions', revisions),
    ['getRevision', 200, () => app().get(`${revisions()}/1`)],
    ['getRevision', 404, () => app().get(`${revisions()}/99`)],
    ...readCalls('getRevision', () => `${revisions()}/1`),
    ['diffRevisions', 200, () => app().get(`${revisions()}/1/diff/2`)],
    ['diffRevisions', 404, () => app().get(`${revisions()}/1/diff/99`)],
    ...readCalls('diffRevisions', () => `${revisions()}/1/diff/2`),
    [
      'restoreRevision',
      200,
      () => {
        const headers = { ...first, ...keyed('restore') }
        return replayed(() => app().send('POST', `${fresh}/revisions/1/restore`, { headers }))
      },
    ],
    ['restoreRevision', 404, () => app().send('POST', `${revisions()}/99/restore`)],
    [
      'restoreRevision',
      409,
      () => inUse(() => broken().send('POST', restore(), { headers: { ...first, ...keyed('in-use') } })),
    ],
    ['restoreRevision', 422, () => app().send('POST', restore(), { headers: { ...first, ...keyed('restore') } })],
    ['restoreRevision', 412, () => app().send('POST', restore(), { headers: first })],
    ['restoreRevision', 428, () => broken().send('POST', restore())],
    ...bodyCalls('restoreRevision', 'POST', restore),
    ...guardedCalls('createPersona', 'POST', () => PERSONAS),
    ...guardedCalls('listPersonas', 'GET', () => PERSONAS),
    ...guardedCalls('getPersona', 'GET', () => UNKNOWN),
    ...guardedCalls('updatePersona', 'PUT', () => UNKNOWN),
    ...guardedCalls('patchPersona', 'PATCH', () => UNKNOWN),
    ...guardedCalls('deletePersona', 'DELETE', () => UNKNOWN),
    ...guardedCalls('countGenerations', 'POST', generations),
    ...guardedCalls('writeBatch', 'POST', () => BATCH),
    ...guardedCalls('listRevisions', 'GET', revisions),
    ...guardedCalls('getRevision', 'GET', () => `${revisions()}/1`),
    ...guardedCalls('diffRevisions', 'GET', () => `${revisions()}/1/diff/2`),
    ...guardedCalls('restoreRevision', 'POST', restore),
    ...guardedCalls('streamChanges', 'GET', () => `${PERSONAS}events`),
    ...guardedCalls('listChanges', 'GET', () => `${PERSONAS}changes`),
  ]

  /** Headers that HTTP itself brings, or that say nothing of the operation. */
  const PLAIN_HEADERS = [
    ...['content-type', 'content-length', 'date', 'connection', 'cache-control', 'transfer-encoding'],
    ...['content-security-policy', 'x-content-type-options', 'referrer-policy', 'cross-origin-resource-policy'],
  ]

  describe('what the document says of an answer', () => {
    let document: OpenApi
    let bodies: DocumentValidator
    let texts: DocumentValidator
    const places = new Map<string, Place>()

    beforeAll(async () => {
      document = await readDocument(app())
      bodies = new DocumentValidator(document)
      texts = new DocumentValidator(document, { coerce: true })
      for (const place of operationsOf(document)) places.set(place.operation.operationId, place)
      url = PERSONAS + (await app().create({ style_preferences: { a: { b: [1] } } })).id
      await app().sendJson('PUT', url, { name: 'Changed since' })
      const unchanged = await app().create()
      fresh = PERSONAS + unchanged.id
      await app().sendJson('PUT', fresh, { name: unchanged.name })
      for (let i = 0; i < 4; i++) await app().create()
      useless = (await keys.create(['metrics:read'])).bearer
      exhausted = (await keys.create(['personas:read'])).bearer
      for (let n = 0; n < LIMIT; n++) await guarded().get(UNKNOWN, exhausted)
    })

    afterAll(() => isHealthy(true))

    it.each(CALLS)('is true: %s %i', async (operationId, status, send) => {
      const response = await send()
      expect(response.statusCode).toBe(status)
      const described = places.get(operationId)?.operation.responses[status]
      expect(described).toBeDefined()

      const headers = described?.headers ?? {}
      for (const [name, { schema }] of Object.entries(headers)) {
        expect([name, texts.faults(schema, response.headers[name.toLowerCase()] ?? null)]).toEqual([name, ''])
        expect(response.headers).toHaveProperty(name.toLowerCase())
      }
      const names = Object.keys(headers).map((name) => name.toLowerCase())
      const undescribed = Object.keys(response.headers).filter(
        (name) => !names.includes(name) && !PLAIN_HEADERS.includes(name),
      )
      expect(undescribed).toEqual([])

      const mediaTypes = Object.keys(described?.content ?? {})
      if (mediaTypes.length === 0) return expect(response.body).toBe('')
      const mediaType = String(response.headers['content-type']).split(';')[0] ?? ''
      expect(mediaTypes).toContain(mediaType)
      const schema = described?.content?.[mediaType]?.schema ?? { not: {} }
      expect(bodies.faults(closed(schema, document), response.json())).toBe('')
    })

    it('is held against an answer of every status of every operation', () => {
      const described = operationsOf(document).flatMap(({ operation }) =>
        Object.keys(operation.responses).map((status) => `${operation.operationId} ${status}`),
      )
      const answered = CALLS.map(([operationId, status]) => `${operationId} ${status}`)
      expect(answered.sort()).toEqual(described.sort())
    })
  })

  /** The schema, so strict that a property which it does not have is a fault. */
  function closed(schema: object, { components }: OpenApi): object {
    const name = '$ref' in schema ? String(schema.$ref).split('/').at(-1) : undefined
    const target = name === undefined ? undefined : components.schemas[name]
    return target ? { ...target, additionalProperties: false } : schema
  }

  describe('the examples of request bodies', () => {
    it('are accepted', async () => {
      const document = await readDocument(app())
      const example = (name: string): object => {
        const { properties = {} } = (document.components.schemas[name] ?? {}) as {
          properties?: Record<string, { example?: unknown }>
        }
        return Object.fromEntries(Object.entries(properties).map(([key, property]) => [key, property.example]))
      }
      const created = await app().sendJson('POST', PERSONAS, example('CreatePersonaDto'))
      expect([created.statusCode, created.json()]).toEqual([201, expect.objectContaining(example('CreatePersonaDto'))])
      const target = String(created.headers.location)
      expect((await app().sendJson('PUT', target, example('UpdatePersonaDto'))).statusCode).toBe(200)
      expect((await app().sendJson('PATCH', target, example('PatchPersonaDto'))).statusCode).toBe(200)
      const counted = await app().sendJson('POST', `${target}/generations`, example('CountGenerationsDto'))
      expect(counted.json()).toMatchObject({ generation_count: 2, version: 3, platform_restrictions: {} })
    })
  })
})
