import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { Database } from '../../src/database/database.js'
import { StorageFullError } from '../../src/database/database-errors.js'
import type { Problem } from '../../src/http/problem.js'
import type { BatchResource, OperationResult } from '../../src/personas/batch/batch.resource.js'
import type { PersonaResource } from '../../src/personas/dto/persona.resource.js'
import { onEachDatabase } from '../support/databases.js'
import {
  aPersona,
  type Fields,
  PERSONAS,
  pointersOf,
  problemOf,
  type Response,
  UNKNOWN_ID,
  withApp,
} from './support.js'

const BATCH = `${PERSONAS}batch`
const create = (fields: Fields = {}) => ({ op: 'create', body: aPersona(fields) })
const update = (id: string, body: Fields) => ({ op: 'update', id, body })

onEachDatabase((kind) => {
  const app = withApp(kind)
  afterEach(() => void jest.restoreAllMocks())

  const send = (body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    app().sendJson('POST', BATCH, body, headers)
  const total = async (): Promise<number> =>
    Number((await app().get(`${PERSONAS}?active_only=false`)).headers['x-total-count'])

  async function resultsOf(answer: Promise<Response>): Promise<readonly OperationResult[]> {
    const response = await answer
    expect([response.statusCode, response.body]).toEqual([200, expect.stringMatching(/^\{"results":\[/)])
    return response.json<BatchResource>().results
  }

  /** How many transactions were committed by what `work` does, single writes included. */
  async function commitsOf(work: () => Promise<unknown>): Promise<number> {
    const counted = async () => {
      const text = (await app().get('/metrics')).body
      const commits = text.split('\n').filter((line) => /^gator_transactions_total\{.*outcome="commit"/.test(line))
      expect(commits.length).toBeGreaterThan(0)
      return commits.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
    }
    await app().create()
    const before = await counted()
    await work()
    return (await counted()) - before
  }

  describe('POST /api/v1/personas/batch', () => {
    it('creates, updates and deletes in order, each like a request of its own, in one commit', async () => {
      const one = await app().create({ style_preferences: { a: 1, b: { c: 2 } } })
      const other = await app().create()
      let results: readonly OperationResult[] = []
      const commits = await commitsOf(async () => {
        results = await resultsOf(
          send({
            operations: [
              create({ name: '  Grace  ' }),
              {
                op: 'update',
                id: one.id.toUpperCase(),
                body: { style_preferences: { b: { c: null } } },
                if_match: '"1.0"',
              },
              { op: 'update', id: one.id, body: { name: 'Again', version: 9 }, if_match: null },
              { op: 'delete', id: other.id, if_match: '*' },
            ],
          }),
        )
      })
      expect(commits).toBe(1)
      expect(results).toEqual([
        {
          status: 201,
          location: expect.stringMatching(/^\/api/),
          etag: '"1.0"',
          body: expect.objectContaining({ name: 'Grace' }),
        },
        { status: 200, etag: '"2.0"', body: expect.objectContaining({ style_preferences: { a: 1, b: {} } }) },
        { status: 200, etag: '"3.0"', body: expect.objectContaining({ name: 'Again', version: 3 }) },
        { status: 204 },
      ])
      expect((await app().get(String(results[0]?.location))).json()).toEqual(results[0]?.body)
      expect(await app().read(one.id)).toEqual(results[2]?.body)
      expect(await app().read(other.id)).toMatchObject({ is_active: false, version: 2 })
    })

    it('takes a hundred operations in one commit, and neither none nor one more', async () => {
      const before = await total()
      const operations = Array.from({ length: 100 }, (_value, n) => create({ name: `Persona ${n}` }))
      expect(await commitsOf(() => resultsOf(send({ operations })))).toBe(1)
      expect(await total()).toBe(before + 101)
      for (const refused of [[], [...operations, create()], undefined, {}]) {
        expect(pointersOf(await send({ operations: refused }))).toEqual(['/operations'])
      }
      expect(await total()).toBe(before + 101)
    })
  })

  describe('an atomic batch', () => {
    const refusals: [number, string, (one: PersonaResource) => object, string | undefined][] = [
      [404, 'persona-not-found', () => ({ op: 'delete', id: UNKNOWN_ID }), undefined],
      [404, 'persona-not-found', () => ({ op: 'update', id: 'none', body: {} }), undefined],
      [412, 'stale-version', ({ id }) => ({ op: 'update', id, body: { name: 'Stale' }, if_match: '"7.0"' }), undefined],
      [
        422,
        'validation-failed',
        ({ id }) => ({ op: 'update', id, body: { default_content_rating: 'nsfw' } }),
        '/operations/2/body/default_content_rating',
      ],
      [
        422,
        'validation-failed',
        ({ id }) => ({
          op: 'update',
          id,
          body: { platform_restrictions: { x: 'all' }, allowed_content_ratings: ['nsfw'] },
        }),
        '/operations/2/body/default_content_rating',
      ],
    ]
    it.each(refusals)('is undone as a whole by a %i (%s)', async (status, type, refused, pointer) => {
      const one = await app().create()
      const before = await total()
      const operations = [create(), { op: 'update', id: one.id, body: { name: 'Changed' } }, refused(one), create()]
      const response = await send({ mode: 'atomic', operations })
      const problem = problemOf(response, status)
      expect(problem).toMatchObject({ type: `urn:gator-personas:problem:${type}`, index: 2 })
      expect(problem.errors?.map((fault) => fault.pointer)).toEqual(pointer === undefined ? undefined : [pointer])
      expect(response.headers).not.toHaveProperty('etag')
      expect(await total()).toBe(before)
      expect(await app().read(one.id)).toEqual(one)
    })

    it('tells the faults of all its bodies at once, before it begins', async () => {
      const before = await total()
      const response = await send({
        operations: [create(), create({ name: 'x' }), create({ nickname: 1, personality: '\0' })],
      })
      expect(pointersOf(response)).toEqual([
        '/operations/1/body/name',
        '/operations/2/body/personality',
        '/operations/2/body/nickname',
      ])
      expect(response.json<Problem>()).toMatchObject({ index: 1 })
      expect(await total()).toBe(before)
    })
  })

  describe('a batch of the mode each', () => {
    it('refuses alone what is refused, and carries out the others in one commit', async () => {
      const one = await app().create({ style_preferences: { a: 1 } })
      const big = 'x'.repeat(40_000)
      await app().sendJson('PUT', PERSONAS + one.id, { style_preferences: { big } })
      let results: readonly OperationResult[] = []
      const commits = await commitsOf(async () => {
        results = await resultsOf(
          send({
            mode: 'each',
            operations: [
              create({ name: 'First' }),
              create({ name: 'x' }),
              { op: 'delete', id: UNKNOWN_ID },
              { op: 'update', id: one.id, body: { style_preferences: { stale: true } }, if_match: '"1.0"' },
              // Refused after its first statement: what that has counted must be undone, and the rest go on.
              { op: 'update', id: one.id, body: { name: 'Too large', style_preferences: { more: big } } },
              { op: 'update', id: one.id, body: { name: 'Changed' }, if_match: '"2.0"' },
              { op: 'update', id: one.id, body: { appearance: 'merged into it' }, if_match: '"1.0"' },
            ],
          }),
        )
      })
      expect(commits).toBe(1)
      expect(results.map(({ status, etag }) => [status, etag])).toEqual([
        [201, '"1.0"'],
        [422, undefined],
        [404, undefined],
        [412, '"2.0"'],
        [422, undefined],
        [200, '"3.0"'],
        [200, '"4.0"'],
      ])
      expect(results.map(({ merged_base: base }) => base)).toEqual([...Array<undefined>(6), 1])
      expect(results[3]?.problem).toMatchObject({
        current_etag: '"2.0"',
        conflicts: [{ pointer: '/style_preferences', base: { a: 1 }, current: { big } }],
      })
      expect(results[1]?.problem).toMatchObject({ status: 422, errors: [{ pointer: '/name' }] })
      expect(results[2]?.problem?.detail).toBe(`Persona ${UNKNOWN_ID} not found`)
      expect(results[4]?.problem?.errors?.map(({ pointer }) => pointer)).toEqual(['/style_preferences'])
      expect(await app().read(one.id)).toEqual(results[6]?.body)
      expect(results[6]?.body).toMatchObject({ name: 'Changed', version: 4, style_preferences: { big } })
      expect((await app().get(String(results[0]?.location))).statusCode).toBe(200)
    })

    it('is undone as a whole by a failure of the database', async () => {
      const before = await total()
      const database = app().app.get(Database)
      const unitOfWork = database.unitOfWork.bind(database)
      const failing = ((work) =>
        unitOfWork((inside) => {
          let writes = 0
          const write = ((run) =>
            ++writes === 2 ? Promise.reject(new StorageFullError()) : inside.write(run)) as typeof inside.write
          return work({ ...inside, write })
        })) as typeof unitOfWork
      jest.spyOn(database, 'unitOfWork').mockImplementationOnce(failing)
      problemOf(await send({ mode: 'each', operations: [create(), create(), create()] }), 507)
      expect(await total()).toBe(before)
    })
  })

  it.each(['atomic', 'each'])(
    'a batch whose results are too large is undone as a whole in the mode %s',
    async (mode) => {
      const { id } = await app().create({ style_preferences: { text: 'x'.repeat(64_000) } })
      const renamed = (count: number) =>
        send({ mode, operations: Array.from({ length: count }, (_value, n) => update(id, { name: `Name ${n}` })) })
      expect(await resultsOf(renamed(32))).toHaveLength(32)
      const before = await app().read(id)
      const problem = problemOf(await renamed(33), 413)
      expect(problem).toMatchObject({ type: 'urn:gator-personas:problem:batch-too-large', index: 32 })
      expect(await app().read(id)).toEqual(before)
    },
  )

  describe('what is wrong with a batch itself', () => {
    it.each<[string, unknown, string[]]>([
      ['no object', [], ['']],
      ['an unknown mode', { mode: 'some', operations: [create()] }, ['/mode']],
      ['an unknown member', { operations: [create()], extra: 1 }, ['/extra']],
      [
        'operations that are none',
        { operations: [1, {}, { op: 'toString' }] },
        ['/operations/0', '/operations/1/op', '/operations/2/op'],
      ],
      [
        'missing members',
        { operations: [{ op: 'create' }, { op: 'update' }, { op: 'delete' }] },
        ['/operations/0/body', '/operations/1/id', '/operations/1/body', '/operations/2/id'],
      ],
      [
        'members of others',
        {
          operations: [
            { ...create(), id: 'x' },
            { op: 'delete', id: 'x', body: {} },
          ],
        },
        ['/operations/0/id', '/operations/1/body'],
      ],
      [
        'an If-Match that is no text',
        { operations: [{ op: 'delete', id: 'x', if_match: 1 }] },
        ['/operations/0/if_match'],
      ],
    ])('refuses it in either mode: %s', async (_name, body, pointers) => {
      expect(pointersOf(await send(body)).sort()).toEqual(pointers.sort())
      const isObject = typeof body === 'object' && !Array.isArray(body)
      if (isObject && !('mode' in (body as object))) {
        expect(pointersOf(await send({ ...(body as object), mode: 'each' })).sort()).toEqual(pointers.sort())
      }
    })

    it('does not exhaust the stack', async () => {
      const deep = `{"operations":[{"op":"create","body":{"id":${'['.repeat(100_000)}${']'.repeat(100_000)}}}]}`
      expect(pointersOf(await app().sendText('POST', BATCH, deep, { 'idempotency-key': 'deep' }))).toEqual([''])
    })

    it('is ignored where it is unknown, if the client prefers so', async () => {
      const response = await send(
        { operations: [{ ...create({ nickname: 1 }), note: 'n' }], extra: 1 },
        { prefer: 'handling=lenient' },
      )
      expect(response.statusCode).toBe(200)
      expect(response.headers).toMatchObject({
        'preference-applied': 'handling=lenient',
        'x-ignored-fields': 'extra, operations%2F0%2Fnote, operations%2F0%2Fbody%2Fnickname',
      })
    })
  })

  it('a batch with an Idempotency-Key is carried out once, in the commit of its answer', async () => {
    const before = await total()
    const body = { mode: 'each', operations: [create(), create({ name: 'x' })] }
    let first: Response | undefined
    expect(await commitsOf(async () => (first = await send(body, { 'idempotency-key': 'batch' })))).toBe(1)
    const replay = await send(body, { 'idempotency-key': 'batch' })
    expect([replay.statusCode, replay.body]).toEqual([200, first?.body])
    expect(replay.headers['idempotency-replayed']).toBe('true')
    expect(await total()).toBe(before + 2)
  })
})
