import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parseSettings } from '../../src/config/settings.js'
import { QueryPipe } from '../../src/http/query.pipe.js'
import type { Database, DirectReads, SqlValue } from '../../src/database/database.js'
import { ListPersonasQuery } from '../../src/personas/dto/list-personas.query.js'
import { PASSED_AT_A_TIME } from '../../src/personas/lists/deep-page.js'
import { LIST_LIMITS, type ListPage, type ListRequest } from '../../src/personas/lists/list-request.js'
import { PersonaLists } from '../../src/personas/lists/persona-lists.js'
import { readList } from '../../src/personas/lists/read-list.js'
import { PrismaPersonaRepository } from '../../src/personas/prisma-persona.repository.js'
import { openPersonaReads } from '../../src/personas/reads/open-persona-reads.js'
import { databases, onEachDatabase, type TestDatabase } from '../support/databases.js'
import { fillWithPersonas, RARITY } from './many-personas.js'
import { type Plan, type PlanNode, postgresqlPlan, sqlitePlan } from './query-plans.js'
import { say, scale } from './scale.js'

const PERSONAS = scale.listedPersonas
const RARE = Math.floor(PERSONAS / RARITY)
/** A page has an eleventh row, which says that there is another page. */
const LIMIT = 10

interface Sent {
  readonly sql: string
  readonly values: readonly SqlValue[]
}

/** A statement of a page takes SQLite less than this part of what one takes that looks at every persona. */
const SHARE_OF_SCAN = 1 / 4
const TIMED = 3

/** The index of each order. Where almost all personas are active, PostgreSQL may take the one that does not say so. */
const ORDERS = {
  created_at: /^personas_(is_active_)?created_at_id_idx$/,
  updated_at: /^personas_updated_at_id_idx$/,
  name: /^personas_name_id_idx$/,
  generation_count: /^personas_generation_count_id_idx$/,
}

onEachDatabase((kind) => {
  describe(`lists of ${PERSONAS} personas`, () => {
    let database: TestDatabase
    let connection: Database
    const sent: Sent[] = []
    /** How long SQLite takes to look at every persona. */
    let scanMs = Infinity

    beforeAll(async () => {
      database = await databases[kind]()
      const start = performance.now()
      await fillWithPersonas(database, PERSONAS)
      say(`${PERSONAS} personas on ${kind} in ${Math.round(performance.now() - start)} ms`)
      connection = await database.connect()
      const scan = { sql: `SELECT count(*) FROM personas WHERE appearance = ''`, values: [] }
      if (connection.directReads?.kind === 'local') scanMs = await timeOf(scan)
    }, scale.testTimeoutMs)
    afterAll(async () => {
      await connection.close()
      await database.remove()
    })

    /** The reads of the connection, which are written down. */
    function recording(): DirectReads {
      const reads = connection.directReads
      if (reads?.kind === 'local') {
        const read: typeof reads.read = (work) =>
          reads.read((file) => {
            const rows: typeof file.rows = (sql, values) => {
              sent.push({ sql, values })
              return file.rows(sql, values)
            }
            return work(Object.create(file, { rows: { value: rows } }) as typeof file)
          })
        return { kind: 'local', read }
      }
      if (!reads) throw new Error('there are no direct reads')
      const rowsOnce: typeof reads.rowsOnce = (sql, values) => {
        sent.push({ sql, values })
        return reads.rowsOnce(sql, values)
      }
      return { ...reads, rowsOnce }
    }

    async function page(parameters: string, start: ListRequest['start'] = null): Promise<ListPage> {
      const lists = new PersonaLists({ directReads: recording() })
      const type = { type: 'query', metatype: ListPersonasQuery } as const
      const query = new QueryPipe().transform(Object.fromEntries(new URLSearchParams(parameters)), type)
      sent.length = 0
      return lists.page({ ...readList(query as ListPersonasQuery, lists.dialect), start })
    }

    async function plansOf(statements: readonly Sent[]): Promise<Plan[]> {
      const reads = connection.directReads
      const plans: Plan[] = []
      for (const { sql, values } of statements) {
        if (reads?.kind === 'local') {
          const rows = await reads.read((file) => file.rows(`EXPLAIN QUERY PLAN ${sql}`, values))
          plans.push(sqlitePlan(sql, rows, await timeOf({ sql, values })))
        } else {
          const explain = `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql}`
          const [[plan] = []] = (await reads?.rowsOnce(explain, values)) ?? []
          plans.push(postgresqlPlan(plan as [{ Plan: PlanNode }]))
        }
      }
      return plans
    }

    /** At its quickest, in milliseconds. */
    async function timeOf({ sql, values }: Sent): Promise<number> {
      const reads = connection.directReads
      if (reads?.kind !== 'local') throw new Error('only SQLite is timed')
      let quickest = Infinity
      for (let n = 0; n < TIMED; n++) {
        const start = performance.now()
        await reads.read((file) => file.rows(sql, values))
        quickest = Math.min(quickest, performance.now() - start)
      }
      return quickest
    }

    const isPick = ({ sql }: Sent) => /WHERE id (?:IN|=)/.test(sql)

    /** What a page took, with the look that no statement of it goes astray. */
    async function costOf(parameters: string, start: ListRequest['start'] = null) {
      const answered = await page(parameters, start)
      const statements = [...sent]
      const plans = await plansOf(statements)
      const isPicked = statements.some(isPick)
      for (const [n, { detours }] of plans.entries()) {
        // What was picked by id, at most so many, is put in order.
        const allowed = statements[n] && isPick(statements[n]) ? ['Sort'] : []
        expect([statements[n]?.sql, detours.filter((detour) => !allowed.includes(detour))]).toEqual([
          statements[n]?.sql,
          [],
        ])
      }
      for (const [n, { ms }] of plans.entries()) {
        if (ms > scanMs * SHARE_OF_SCAN)
          throw new Error(`${ms} ms, where a scan takes ${scanMs}: ${statements[n]?.sql}`)
      }
      const sum = (of: (plan: Plan) => number) => plans.reduce((total, plan) => total + of(plan), 0)
      const indexes = new Set(plans.flatMap((plan) => plan.indexes))
      return { answered, plans, isPicked, indexes, rows: sum(({ rows }) => rows), blocks: sum(({ blocks }) => blocks) }
    }

    it.each(['-created_at', 'created_at', '-updated_at', 'updated_at', 'name', '-name', 'generation_count'])(
      'sorted by %s are walked along its index, and a page deep down costs what the first does',
      async (sort) => {
        const first = await costOf(`sort=${sort}`)
        expect(first.answered.personas).toHaveLength(LIMIT)
        const order = ORDERS[sort.replace('-', '') as keyof typeof ORDERS]
        expect([...first.indexes]).toEqual([expect.stringMatching(order)])
        const deep = await costOf(`sort=${sort}`, await nearTheEnd(sort))
        expect(deep.answered.personas).toHaveLength(LIMIT)
        expect(deep.indexes).toEqual(first.indexes)
        if (kind === 'PostgreSQL') {
          expect(deep.rows).toBeLessThanOrEqual(first.rows + 2 * LIMIT)
          expect(deep.blocks).toBeLessThanOrEqual(2 * first.blocks + 50)
        }
      },
      scale.testTimeoutMs,
    )

    /** A place that nine tenths of the list come before. */
    async function nearTheEnd(sort: string): Promise<ListRequest['start']> {
      const descends = sort.startsWith('-')
      const share = descends ? 0.1 : 0.9
      const { personas } = await page('sort=created_at&limit=1')
      const since = personas[0]?.createdAt.getTime() ?? 0
      const time = new Date(since + Math.floor(PERSONAS * share) * 1_000).toISOString()
      const key = { name: `Persona ${descends ? 2 : 8}`, generation_count: share * 1_000 }
      return { key: key[sort.replace('-', '') as keyof typeof key] ?? time, id: '0' }
    }

    it.each([
      ['default_content_rating=nsfw', 'personas_default_content_rating_created_at_id_idx', LIMIT],
      ['base_image_status=draft', 'personas_base_image_status_created_at_id_idx', Math.min(RARE, LIMIT)],
      ['appearance_locked=true&sort=created_at', 'personas_appearance_locked_created_at_id_idx', LIMIT],
      ['created_before=2023-11-14T22:14:00Z', ORDERS.created_at, LIMIT],
      ['updated_after=2023-11-14T22:14:00Z&sort=updated_at', 'personas_updated_at_id_idx', LIMIT],
    ])('with %s are walked along the index of both', async (parameters, index, found) => {
      const { answered, indexes, isPicked } = await costOf(parameters)
      expect(isPicked).toBe(false)
      expect([...indexes][0]).toMatch(index)
      // Between two milestones PostgreSQL may go along the list itself, where it finds as many.
      for (const other of indexes) expect(other).toMatch(kind === 'SQLite' ? index : /created_at|updated_at/)
      expect(answered.personas).toHaveLength(found)
      if (found < LIMIT) expect(answered.next).toBeNull()
    })

    it.each([
      ['base_image_status=draft&sort=name', 'personas_base_image_status_created_at_id_idx', RARE],
      ['base_image_status=draft,rejected&sort=-updated_at', 'personas_base_image_status_created_at_id_idx', RARE],
      ['base_image_status=draft&default_content_rating=sfw', 'personas_base_image_status_created_at_id_idx', null],
      ['q=rare', 'persona_terms_term_persona_id_idx', RARE],
      ['q=curious+rare&sort=name', 'persona_terms_term_persona_id_idx', RARE],
      ['q=rare&theme=technology&sort=generation_count', 'persona_terms_term_persona_id_idx', 0],
      ['q=nothing', 'persona_terms_term_persona_id_idx', 0],
      ['created_before=2023-11-14T22:14:00Z&sort=name', 'personas_created_at_id_idx', null],
      ['base_image_status=draft&sort=name&total=true', 'personas_base_image_status_created_at_id_idx', RARE],
    ])('with %s, which few are, look at those few', async (parameters, index, found) => {
      const { answered, indexes, rows } = await costOf(parameters)
      expect([...indexes]).toContain(index)
      if (found !== null) expect(answered.personas).toHaveLength(Math.min(found, LIMIT))
      if (answered.personas.length < LIMIT) expect(answered.next).toBeNull()
      expect(rows).toBeLessThanOrEqual(6 * (LIST_LIMITS.candidates + 1))
    })

    it.each([
      ['q=silver', LIMIT],
      ['q=sil+silver+curious&sort=name', LIMIT],
      ['theme=technology&sort=-updated_at', LIMIT],
      ['default_content_rating=nsfw&appearance_locked=true&sort=name', LIMIT],
      ['default_content_rating=sfw,nsfw&sort=generation_count', LIMIT],
      ['allowed_content_rating=nsfw&sort=name', LIMIT],
      ['default_content_rating=nsfw&appearance_locked=true&sort=name&total=true', LIMIT],
      // Nobody: the whole list would have to be looked at, page by page.
      ['allowed_content_rating=moderate&sort=name', 0],
      ['default_content_rating=nsfw&created_after=2023-11-14T22:14:00Z&sort=name&allowed_content_rating=moderate', 0],
    ])('with %s, which many are, look at so many rows and no more', async (parameters, found) => {
      const { answered, rows, isPicked } = await costOf(parameters)
      expect([isPicked, answered.personas.length]).toEqual([false, found])
      // Each row of the walk: as a milestone, as itself, and for each word in the index and in the queue.
      const words = new URLSearchParams(parameters).get('q')?.split(' ').length ?? 1
      const { visited, counted, candidates } = LIST_LIMITS
      const counting = parameters.includes('total') ? 2 * counted + 4 * (candidates + 1) : 0
      expect(rows).toBeLessThanOrEqual((2 + 2 * words) * visited + 4 * (candidates + 1) + counting)
      expect(answered.next).not.toBeNull()
    })

    it('are counted as far as that is cheap, and as far as they go', async () => {
      const totalOf = async (parameters: string) => (await page(`${parameters}&total=true&sort=name`)).total
      expect(await totalOf('default_content_rating=nsfw')).toEqual({ count: 9_800, isExact: false })
      expect(await totalOf('base_image_status=draft')).toEqual({ count: RARE, isExact: true })
      expect(await totalOf('')).toEqual({ count: PERSONAS * 0.98, isExact: true })
    })

    it('have deep down by skip who stands there, and nobody beyond', async () => {
      const repository = new PrismaPersonaRepository(connection)
      const reads = openPersonaReads(connection, repository, parseSettings({}, false))
      for (const skip of [PASSED_AT_A_TIME + 7, PERSONAS - 1, PERSONAS]) {
        const { body, total } = await reads.findPage({ skip, limit: 1, activeOnly: false })
        const ids = (JSON.parse(body.toString()) as { id: string }[]).map(({ id }) => parseInt(id, 16))
        expect([total, ids]).toEqual([PERSONAS, skip < PERSONAS ? [PERSONAS - 1 - skip] : []])
      }
    })

    it(
      'go on where a page has given up, to the last one that there is',
      async () => {
        await database.query(
          `UPDATE personas SET allowed_content_ratings = '["moderate"]' WHERE name = 'Persona ${PERSONAS - 1}'`,
        )
        let pages = 0
        const found: string[] = []
        for (let start: ListRequest['start'] = null; pages === 0 || start; pages++) {
          const { personas, next } = await page('allowed_content_rating=moderate&sort=name', start)
          found.push(...personas.map(({ name }) => name))
          start = next
        }
        expect(found).toEqual([`Persona ${PERSONAS - 1}`])
        expect(pages).toBeLessThanOrEqual(PERSONAS / LIST_LIMITS.visited + 1)
      },
      scale.testTimeoutMs,
    )

    it(
      'are searched along the list while the index knows nobody yet',
      async () => {
        await database.query('INSERT INTO personas_unindexed (persona_id) SELECT id FROM personas')
        const { answered, isPicked } = await costOf('q=silver+warm')
        expect([isPicked, answered.personas.length]).toEqual([false, LIMIT])
        await database.query('DELETE FROM personas_unindexed')
      },
      scale.testTimeoutMs,
    )
  })
})
