import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { Database } from '../../src/database/database.js'
import { StorageFullError, WriteOutcomeUnknownError } from '../../src/database/database-errors.js'
import { IdempotencySweeper } from '../../src/idempotency/idempotency-sweeper.js'
import type { PersonaResource } from '../../src/personas/dto/persona.resource.js'
import { until } from '../processes/until.js'
import { onEachDatabase } from '../support/databases.js'
import { aPersona, type Fields, MERGE_PATCH, PERSONAS, problemOf, type Response, without, withApp } from './support.js'

const HOUR_MS = 3_600_000
const KEPT_HOURS = 2

onEachDatabase((kind) => {
  const app = withApp(kind, { IDEMPOTENCY_KEEP_HOURS: String(KEPT_HOURS) })
  let key = ''
  let nextKey = 0

  beforeEach(() => {
    key = `key-${nextKey++}`
  })
  afterEach(() => void jest.restoreAllMocks())

  const post = (body: Fields = aPersona(), headers: Record<string, string> = {}): Promise<Response> =>
    app().sendJson('POST', PERSONAS, body, { 'idempotency-key': key, ...headers })
  const total = async (): Promise<number> => Number((await app().get(PERSONAS)).headers['x-total-count'])

  /** What an answer says of the resource, and not of the request. */
  function contentOf({ statusCode, headers, body }: Response) {
    return { statusCode, body, headers: without(headers, 'x-request-id', 'date', 'idempotency-replayed') }
  }

  function expectReplay(replay: Response, first: Response): void {
    expect(first.headers).not.toHaveProperty('idempotency-replayed')
    expect(replay.headers).toMatchObject({ 'idempotency-replayed': 'true' })
    expect(contentOf(replay)).toEqual(contentOf(first))
  }

  describe('Idempotency-Key', () => {
    it('makes one persona of two POSTs, and answers the second like the first', async () => {
      const before = await total()
      const body = aPersona({ style_preferences: { b: 1, a: 'ü', 2: [0.1] } })
      const first = await post(body)
      expect(first.statusCode).toBe(201)
      // Quoted or bare, whatever the order of the members, and with a slash or without: it is the same request.
      const again = Object.fromEntries(Object.entries(body).reverse())
      const replay = await app().sendJson('POST', PERSONAS.slice(0, -1), again, { 'idempotency-key': `"${key}"` })
      expectReplay(replay, first)
      expect(replay.headers).toMatchObject({ location: first.headers.location, etag: '"1.0"' })
      expect(await total()).toBe(before + 1)
    })

    it('answers with what was answered, although the persona has changed since', async () => {
      const first = await post()
      const { id } = first.json<PersonaResource>()
      await app().sendJson('PUT', PERSONAS + id, { name: 'Renamed' })
      expectReplay(await post(), first)
    })

    it('counts generations once', async () => {
      const { id } = await app().create()
      const count = () =>
        app().sendJson('POST', `${PERSONAS}${id}/generations`, { count: 3 }, { 'idempotency-key': key })
      const first = await count()
      expectReplay(await count(), first)
      expect(await app().read(id)).toMatchObject({ generation_count: 3 })
    })

    it('patches once, and the retry of a conditional patch is not stale', async () => {
      const { id } = await app().create({ style_preferences: { a: 1 } })
      const patch = (ifMatch: string) =>
        app().sendJson(
          'PATCH',
          PERSONAS + id,
          { style_preferences: { a: null, b: 2 } },
          { 'content-type': MERGE_PATCH, 'if-match': ifMatch, 'idempotency-key': key },
        )
      const first = await patch('"1.0"')
      expect(first.json()).toMatchObject({ version: 2, style_preferences: { b: 2 } })
      expectReplay(await patch('"1.0"'), first)
      expect(problemOf(await patch('"2.0"'), 422).type).toMatch(/idempotency-key-reused$/)
      expect(await app().read(id)).toMatchObject({ version: 2 })
    })

    it('is refused with 422 for another request, which changes nothing', async () => {
      await post()
      const { id } = await app().create()
      const before = await total()
      expect(problemOf(await post(aPersona({ name: 'Another' })), 422).type).toMatch(/idempotency-key-reused$/)
      const elsewhere = await app().sendJson('POST', `${PERSONAS}${id}/generations`, {}, { 'idempotency-key': key })
      expect(problemOf(elsewhere, 422).type).toMatch(/idempotency-key-reused$/)
      expect([await total(), (await app().read(id)).generation_count]).toEqual([before, 0])
    })

    it.each(['""', 'a b', 'k'.repeat(256)])('is refused with 400 when it is none: %s', async (malformed) => {
      const before = await total()
      const refused = await post(aPersona(), { 'idempotency-key': malformed })
      expect(problemOf(refused, 400).type).toMatch(/malformed-idempotency-key$/)
      expect(await total()).toBe(before)
    })

    it('does not keep a refusal: the request may be mended and sent again', async () => {
      const { id } = await app().create()
      const patch = (rating: string) =>
        app().sendJson('PATCH', PERSONAS + id, { default_content_rating: rating }, { 'idempotency-key': key })
      // One that validation refuses, and one that what is stored refuses, in the transaction.
      expect((await post({ name: 'x' })).statusCode).toBe(422)
      expect((await patch('nsfw')).statusCode).toBe(422)
      expect((await patch('sfw')).statusCode).toBe(200)
    })

    it('is answered with 409 while the first request is under way', async () => {
      const database = app().app.get(Database)
      const unitOfWork = database.unitOfWork.bind(database)
      let begin = () => {}
      const begun = new Promise<void>((resolve) => (begin = resolve))
      let release = () => {}
      const released = new Promise<void>((resolve) => (release = resolve))
      const held = (async (work) => {
        begin()
        await released
        return unitOfWork(work)
      }) as typeof unitOfWork
      jest.spyOn(database, 'unitOfWork').mockImplementationOnce(held)
      const first = post()
      await begun
      const second = await post()
      expect(problemOf(second, 409).type).toMatch(/idempotency-key-in-use$/)
      expect(second.headers['retry-after']).toBe('1')
      release()
      const answer = await first
      expectReplay(await post(), answer)
    })

    it.each([
      [503, new WriteOutcomeUnknownError()],
      [507, new StorageFullError()],
      [500, new Error('unforeseen')],
    ])('does not keep an answer of %i, and that has no headers of a persona', async (status, error) => {
      const before = await total()
      const database = app().app.get(Database)
      const unitOfWork = database.unitOfWork.bind(database)
      // It fails where a COMMIT would: after everything was done.
      const failing = ((work) =>
        unitOfWork(async (inside) => {
          await work(inside)
          throw error
        })) as typeof unitOfWork
      jest.spyOn(database, 'unitOfWork').mockImplementationOnce(failing)
      const failed = await post()
      problemOf(failed, status)
      expect(failed.headers).not.toHaveProperty('etag')
      expect(failed.headers).not.toHaveProperty('location')
      expect(await total()).toBe(before)
      const retry = await post()
      expect([retry.statusCode, retry.headers['idempotency-replayed']]).toEqual([201, undefined])
    })

    it('tells after an unknown outcome what has happened, without doing it again', async () => {
      const before = await total()
      const database = app().app.get(Database)
      const unitOfWork = database.unitOfWork.bind(database)
      const lost = (async (work) => {
        await unitOfWork(work)
        throw new WriteOutcomeUnknownError()
      }) as typeof unitOfWork
      jest.spyOn(database, 'unitOfWork').mockImplementationOnce(lost)
      problemOf(await post(), 503)
      const retry = await post()
      expect([retry.statusCode, retry.headers['idempotency-replayed']]).toEqual([201, 'true'])
      expect(await total()).toBe(before + 1)
    })
  })

  describe('an Idempotency-Key that has expired', () => {
    const ageAll = (hours: number) => {
      const sql =
        kind === 'SQLite'
          ? `UPDATE idempotency_keys SET created_at = '${new Date(Date.now() - hours * HOUR_MS).toISOString().replace('Z', '+00:00')}'`
          : `UPDATE idempotency_keys SET created_at = (now() AT TIME ZONE 'UTC') - interval '${hours} hours'`
      return app().execute(sql)
    }

    it('is a new one: another request may take it, once', async () => {
      const first = await post()
      await ageAll(KEPT_HOURS - 0.1)
      expectReplay(await post(), first)
      await ageAll(KEPT_HOURS + 0.1)
      const other = await post(aPersona({ name: 'Another' }))
      expect([other.statusCode, other.headers['idempotency-replayed']]).toEqual([201, undefined])
      expectReplay(await post(aPersona({ name: 'Another' })), other)
    })

    it('is removed with its answer, those that are kept are not', async () => {
      const sweeper = app().app.get(IdempotencySweeper, { strict: false })
      await post()
      await ageAll(KEPT_HOURS + 0.1)
      // More than one batch.
      const columns = '(key, fingerprint, created_at)'
      const rows = Array.from({ length: 700 }, (_value, n) => `('old-${n}', '', '2026-01-01T00:00:00.000+00:00')`)
      await app().execute(`INSERT INTO idempotency_keys ${columns} VALUES ${rows.join(', ')}`)
      key = 'kept'
      const kept = await post()
      await sweeper.sweep()
      expectReplay(await post(), kept)
      expect(await app().rows('idempotency_keys')).toMatchObject([{ key: 'kept' }])
    })

    if (kind === 'PostgreSQL') {
      it('stays when another request takes it while it is being removed', async () => {
        const sweeper = app().app.get(IdempotencySweeper, { strict: false })
        await post()
        await ageAll(KEPT_HOURS + 0.1)
        const waiting = `pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
        // What a request does that takes it: the removal has found the old row, and waits for the lock of the new one.
        const { sweeping } = await app()
          .app.get(Database, { strict: false })
          .transaction(async (client) => {
            await client.idempotencyKey.update({ where: { key }, data: { createdAt: new Date() } })
            const removal = sweeper.sweep()
            await until('the removal waits', async () => (await app().rows(waiting)).length > 0)
            return { sweeping: removal }
          })
        await sweeping
        expect(await app().rows('idempotency_keys')).toContainEqual(expect.objectContaining({ key }))
      })
    }
  })
})
