import { afterEach, describe, expect, it } from '@jest/globals'
import type { ChangeResource, ChangesResource } from '../../src/personas/changes/change.resource.js'
import { until } from '../processes/until.js'
import { onEachDatabase } from '../support/databases.js'
import { EventListener, type ListenOptions } from '../support/event-listener.js'
import { PERSONAS, pointersOf, problemOf, withApp } from './support.js'

const EVENTS = `${PERSONAS}events`
const CHANGES = `${PERSONAS}changes`
const WORKER = 3
const WHO = { 'x-actor': 'studio@example.org', 'x-request-id': 'request-1' }
const MAX_BEHIND = 10_000
/** How often it is looked for what nobody has told of. */
const LOOK_EVERY_MS = 1_000
const WRITES_IN_TURN = 7

onEachDatabase((kind) => {
  const app = withApp(kind, { EVENTS_MAX_LISTENERS: '3' }, WORKER)
  const listeners: EventListener[] = []

  afterEach(async () => {
    for (const listener of listeners.splice(0)) listener.close()
    await until('nobody listens', async () => (await app().get('/metrics')).body.includes('\ngator_event_listeners 0'))
  })

  async function listen(options: ListenOptions = {}): Promise<EventListener> {
    const listener = await EventListener.open(`http://127.0.0.1:${await app().port()}`, options)
    listeners.push(listener)
    return listener
  }

  const since = async (query = ''): Promise<ChangesResource> => (await app().get(CHANGES + query)).json()
  const present = async () => (await since()).next
  const seqOf = (id: string) => Number(id.split('-')[1])

  /** Makes a change of every kind, the last two past the service. */
  async function aHistory(): Promise<string> {
    const { id } = await app().create()
    const url = PERSONAS + id
    await app().sendJson('PUT', url, { name: 'Second', appearance: 'A long\nred coat\u2028' }, WHO)
    await app().sendJson('POST', `${url}/generations`, { count: 5 }, WHO)
    await app().send('DELETE', url, { headers: WHO })
    await app().execute(`UPDATE personas SET name = 'By hand' WHERE id = '${id}'`)
    await app().execute(`DELETE FROM personas WHERE id = '${id}'`)
    return id
  }

  it('several who ask first at once are given the one epoch', async () => {
    await app().create()
    for (let round = 0; round < 5; round++) {
      await app().execute('DELETE FROM change_feed')
      const answers = await Promise.all(Array.from({ length: 8 }, () => app().get(CHANGES)))
      expect(answers.map(({ statusCode }) => statusCode)).toEqual(answers.map(() => 200))
      expect(new Set(answers.map((answer) => answer.json<ChangesResource>().next)).size).toBe(1)
    }
  })

  describe('the stream of changes', () => {
    it('has every change in order, with what the persona was after it', async () => {
      const listener = await listen()
      const { 'content-type': type, 'cache-control': cache, 'x-accel-buffering': proxy } = listener.response.headers
      expect([type, cache, proxy]).toEqual(['text/event-stream', 'no-store', 'no'])
      expect(listener.response.headers).toMatchObject({
        'x-worker': String(WORKER),
        'x-request-id': expect.any(String),
      })
      expect(listener.blocks).toMatchObject([{ id: await present(), event: undefined, data: undefined }])

      const id = await aHistory()
      const events = await listener.received(6)
      expect(events.map(({ event }) => event)).toEqual([
        ...['created', 'updated', 'generated', 'deleted', 'updated', 'erased'],
      ])
      for (const { id: blockId, event, data } of events) expect(data).toMatchObject({ id: blockId, type: event })
      const [created, updated, generated, deleted, byHand, erased] = listener.changes
      expect(updated).toEqual({
        ...{ id: expect.stringMatching(/^[0-9a-f]{12}-\d+-\w+$/), type: 'updated', persona_id: id, version: 2 },
        ...{ changed: ['name', 'appearance'], at: expect.stringMatching(/^\d{4}-.*Z$/), worker: WORKER },
        ...{ actor: WHO['x-actor'], request_id: WHO['x-request-id'], etag: '"2.0"' },
        persona: {
          ...created?.persona,
          name: 'Second',
          appearance: 'A long\nred coat\u2028',
          version: 2,
          updated_at: expect.any(String),
        },
      })
      expect(created).toMatchObject({ version: 1, etag: '"1.0"', persona: { id, version: 1 } })
      expect([generated?.etag, deleted?.persona?.is_active, byHand?.actor]).toEqual(['"2.5"', false, null])
      expect(erased).toMatchObject({ persona: null, etag: null, version: 3 })
      const seqs = events.map((event) => seqOf(event.id ?? ''))
      expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b))
      expect((await since(`?after=${listener.blocks[0]?.id}`)).changes).toEqual(listener.changes)
    })

    it('is told of writes of the service, and does not wait until it looks by itself', async () => {
      const listener = await listen()
      // On PostgreSQL it is connected to hear of them a moment later.
      await app().create()
      await listener.received(1)
      const start = performance.now()
      for (let n = 2; n <= WRITES_IN_TURN; n++) {
        await app().create()
        await listener.received(n)
      }
      expect(performance.now() - start).toBeLessThan((WRITES_IN_TURN - 1) * LOOK_EVERY_MS * 0.5)
    })

    it('goes on after an id, wherever that is; the header wins over the query', async () => {
      const start = await present()
      await aHistory()
      const { changes } = await since(`?after=${start}`)
      const third = String(changes[2]?.id)
      for (const options of [
        { headers: { 'last-event-id': third } },
        { query: `?after=${third}` },
        { headers: { 'last-event-id': third }, query: `?after=${start}` },
      ]) {
        const listener = await listen(options)
        await app().create()
        const rest = (await since(`?after=${third}`)).changes
        await listener.received(rest.length)
        expect([listener.blocks[0]?.id, listener.changes]).toEqual([third, rest])
      }
    })

    it('takes a thousand changes that were made meanwhile, and those that are made while it reads them', async () => {
      const { id } = await app().create()
      const start = await present()
      const many = `UPDATE personas SET generation_count = generation_count + 1, write_context = NULL WHERE id = '${id}'`
      for (let n = 0; n < 5; n++) await app().execute(Array(200).fill(many).join(';'))
      const listener = await listen({ headers: { 'last-event-id': start } })
      for (let n = 0; n < 20; n++) await app().send('POST', `${PERSONAS}${id}/generations`)
      await listener.received(1_020)
      const counts = listener.changes.map(({ persona }) => persona?.generation_count)
      expect(counts).toEqual(Array.from({ length: 1_020 }, (_value, n) => n + 1))
    })

    it('is refused to one listener more than may listen, until another one has gone', async () => {
      const first = await listen()
      await listen()
      await listen()
      const refused = await app().get(EVENTS)
      expect(problemOf(refused, 503).type).toMatch(/too-many-listeners$/)
      expect(refused.headers['retry-after']).toBe('1')
      first.close()
      await until('there is room', () => listen().catch(() => undefined))
    })

    it('has HEAD, which listens to nothing, and no other method', async () => {
      const head = await app().send('HEAD', EVENTS)
      expect([head.statusCode, head.headers['content-type'], head.body]).toEqual([200, 'text/event-stream', ''])
      expect(problemOf(await app().send('POST', EVENTS), 405).type).toMatch(/method-not-allowed$/)
      expect((await app().send('OPTIONS', EVENTS)).headers.allow).toBe('GET, HEAD, OPTIONS')
      expect(pointersOf(await app().get(`${EVENTS}?after=a&after=b`))).toEqual(['/after'])
    })

    it('is no request that took long', async () => {
      const listener = await listen()
      listener.close()
      await app().get(`${EVENTS}?after=a&after=b`)
      const { body } = await app().get('/metrics')
      const counted = body.split('\n').filter((line) => line.includes('_count{') && line.includes('/personas/events'))
      expect(counted).toContainEqual(expect.stringContaining('status="422"'))
      expect(counted.filter((line) => line.includes('method="GET"') && line.includes('status="200"'))).toEqual([])
    })
  })

  describe('a reset', () => {
    const resetOf = async (id: string) => {
      const listener = await listen({ headers: { 'last-event-id': id } })
      const [reset] = await listener.received(1)
      expect([reset?.event, reset?.id, reset?.data]).toMatchObject(['reset', await present(), { id: reset?.id }])
      const { reason } = reset?.data as unknown as { reason: string }
      expect(await since(`?after=${id}`)).toEqual({ changes: [], next: reset?.id, more: false, reset: reason })
      const { id: created } = await app().create()
      const [, event] = await listener.received(2)
      expect(event?.data?.persona_id).toBe(created)
      listener.close()
      return reason
    }

    it.each([
      'x',
      '0',
      '0-1',
      '0-1-',
      '-1-1',
      '0-01-1',
      '0-1e3-1',
      'a b-1-1',
      '0-9999999999999999-1',
      `${'e'.repeat(33)}-1-1`,
    ])('tells who names %j that it is no id of ours', async (id) => expect(await resetOf(id)).toBe('unknown-id'))

    it('tells who was in a history that has been replaced, or beyond the end of this one', async () => {
      const id = await present()
      const [epoch = '', , at = ''] = id.split('-')
      expect(await resetOf(id.replace(epoch, 'abc'))).toBe('other-history')
      expect(await resetOf(`${epoch}-${seqOf(id) + 1_000}-${at}`)).toBe('beyond-the-end')
    })

    it('tells whose changes are not in a copy of the database that was put back, though others have their numbers', async () => {
      await app().create()
      const start = await present()
      await aHistory()
      const { changes } = await since(`?after=${start}`)
      const seq = seqOf(start)
      await app().execute(`DELETE FROM persona_revisions WHERE seq > ${seq}`)
      await app().execute(
        kind === 'SQLite'
          ? `UPDATE sqlite_sequence SET seq = ${seq} WHERE name = 'persona_revisions'`
          : `SELECT setval('persona_revisions_seq_seq', ${seq})`,
      )
      await aHistory()
      const others = (await since(`?after=${start}`)).changes
      expect(others.map(({ id }) => seqOf(id))).toEqual(changes.map(({ id }) => seqOf(id)))
      for (const { id } of [changes[0], changes[4]] as ChangeResource[]) expect(await resetOf(id)).toBe('other-history')
      // The copy had this one, too.
      const listener = await listen({ headers: { 'last-event-id': start } })
      await listener.received(others.length)
      expect(listener.changes.slice(0, others.length)).toEqual(others)
    })

    it('tells who was before what is not kept any more, and nobody else', async () => {
      const start = await present()
      await aHistory()
      const { changes } = await since(`?after=${start}`)
      const floor = String(changes[1]?.id)
      await app().execute(`UPDATE change_feed SET floor = ${seqOf(floor)}`)
      expect(await resetOf(start)).toBe('not-kept')
      const listener = await listen({ headers: { 'last-event-id': floor } })
      expect((await listener.received(1))[0]?.id).toBe(changes[2]?.id)
      // Without the change that it names nobody can tell of an id whether it is of this history.
      await app().execute(`DELETE FROM persona_revisions WHERE seq = ${seqOf(floor)}`)
      expect(await resetOf(floor)).toBe('not-kept')
    })

    it('tells who listens while the history is replaced', async () => {
      const listener = await listen()
      const old = listener.lastId
      // What a restore leaves.
      await app().execute('DELETE FROM change_feed')
      const [reset] = await listener.received(1)
      expect([reset?.event, reset?.data]).toMatchObject(['reset', { reason: 'other-history' }])
      const { id } = await app().create()
      expect((await listener.received(2))[1]?.data).toMatchObject({ persona_id: id })
      const epochs = [old, reset?.id, listener.lastId, await present()].map((place) => place?.split('-')[0])
      expect(epochs).toEqual([expect.not.stringMatching(String(epochs[1])), epochs[1], epochs[1], epochs[1]])
      expect(await resetOf(old)).toBe('other-history')
    })

    it('tells who is too far behind', async () => {
      const { id } = await app().create()
      const start = await present()
      const where = `WHERE n < ${MAX_BEHIND}`
      await app().execute(`
        INSERT INTO persona_revisions (persona_id, version, kind, changed, schema, at)
        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers ${where})
        SELECT '${id}', 1, 'erased', '[]', 1, ${kind === 'SQLite' ? `'2026-01-01T00:00:00.000+00:00'` : 'now()'} FROM numbers`)
      expect((await since(`?after=${start}&limit=1`)).reset).toBeNull()
      await app().create()
      expect(await resetOf(start)).toBe('too-far-behind')
    })
  })

  describe('the changes for those who ask', () => {
    it('come in pages, which end where nothing is left', async () => {
      const start = await present()
      await aHistory()
      const pages: ChangeResource[][] = []
      let page: ChangesResource = { changes: [], next: start, more: true, reset: null }
      while (page.more) {
        page = await since(`?after=${page.next}&limit=4`)
        pages.push([...page.changes])
      }
      expect(pages.map(({ length }) => length)).toEqual([4, 2])
      expect(await since(`?after=${page.next}`)).toEqual({ changes: [], next: page.next, more: false, reset: null })
      expect(await present()).toBe(page.next)
      expect((await app().get(CHANGES)).headers['cache-control']).toBe('no-store')
    })

    it('are fewer than asked for when they are large', async () => {
      const start = await present()
      const { id } = await app().create({ style_preferences: { text: 'x'.repeat(60_000) } })
      for (let n = 0; n < 70; n++) await app().send('POST', `${PERSONAS}${id}/generations`)
      const first = await since(`?after=${start}&limit=1000`)
      expect([first.changes.length, first.more]).toEqual([32, true])
      expect((await since(`?after=${first.next}&limit=1`)).changes[0]?.persona?.generation_count).toBe(32)
    })

    it.each(['?limit=0', '?limit=1001', '?limit=x', '?limit='])('refuse %s', async (query) => {
      expect(pointersOf(await app().get(CHANGES + query))).toEqual(['/limit'])
    })

    it('have what cannot be read as a change without its persona, and go on', async () => {
      const start = await present()
      const { id } = await app().create()
      await app().execute(`UPDATE persona_revisions SET schema = 99 WHERE persona_id = '${id}'`)
      const timeless = await app().create()
      // Its state has no time any more: what would be written is no time.
      await app().execute(
        `UPDATE persona_revisions SET state = replace(state, 'updated_at', 'nothing') WHERE persona_id = '${timeless.id}'`,
      )
      await app().create()
      const { changes } = await since(`?after=${start}`)
      expect(changes.map(({ persona }) => persona === null)).toEqual([true, true, false])
    })
  })
})
