import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { QueryPipe } from '../../src/http/query.pipe.js'
import type { Database, DirectReads } from '../../src/database/database.js'
import { ListPersonasQuery } from '../../src/personas/dto/list-personas.query.js'
import type { ListPage, ListRequest } from '../../src/personas/lists/list-request.js'
import { LIST_LIMITS, PersonaLists } from '../../src/personas/lists/persona-lists.js'
import { readList } from '../../src/personas/lists/read-list.js'
import { databases, onEachDatabase, type TestDatabase } from '../support/databases.js'
import { fillWithPersonas, RARITY } from './many-personas.js'
import { say, scale } from './scale.js'

const PERSONAS = scale.listedPersonas
const RARE = Math.floor(PERSONAS / RARITY)
/** A page has an eleventh row, which says that there is another page. */
const LIMIT = 10

interface Sent {
  readonly sql: string
  readonly values: readonly (string | number)[]
}

/** What PostgreSQL says of a node of a plan that was carried out. */
interface PlanNode {
  readonly 'Node Type': string
  readonly 'Index Name'?: string
  readonly 'Actual Rows': number
  readonly Plans?: readonly PlanNode[]
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Shared Hit Blocks': number
  readonly 'Shared Read Blocks': number
}

/** A plan, whichever database made it. */
interface Plan {
  readonly indexes: readonly string[]
  /** Tables that are read from one end to the other, and sorts. */
  readonly detours: readonly string[]
  /** Rows that the scans have looked at, and pages of the database; unknown on SQLite. */
  readonly rows: number
  readonly blocks: number
}

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

    beforeAll(async () => {
      database = await databases[kind]()
      const start = performance.now()
      await fillWithPersonas(database, PERSONAS)
      say(`${PERSONAS} personas on ${kind} in ${Math.round(performance.now() - start)} ms`)
      connection = await database.connect()
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
            return work({ dataVersion: () => file.dataVersion(), schemaVersion: () => file.schemaVersion(), rows })
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
          plans.push(sqlitePlan(await reads.read((file) => file.rows(`EXPLAIN QUERY PLAN ${sql}`, values))))
        } else {
          const explain = `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql}`
          const [[plan] = []] = (await reads?.rowsOnce(explain, values)) ?? []
          plans.push(postgresqlPlan(plan as [{ Plan: PlanNode }]))
        }
      }
      return plans
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
      // Nobody: the whole list would have to be looked at, page by page.
      ['allowed_content_rating=moderate&sort=name', 0],
      ['default_content_rating=nsfw&created_after=2023-11-14T22:14:00Z&sort=name&allowed_content_rating=moderate', 0],
    ])('with %s, which many are, look at so many rows and no more', async (parameters, found) => {
      const { answered, rows, isPicked } = await costOf(parameters)
      expect([isPicked, answered.personas.length]).toEqual([false, found])
      // Each row of the walk: as a milestone, as itself, and for each word in the index and in the queue.
      const words = new URLSearchParams(parameters).get('q')?.split(' ').length ?? 1
      expect(rows).toBeLessThanOrEqual((2 + 2 * words) * LIST_LIMITS.visited + 4 * (LIST_LIMITS.candidates + 1))
      expect(answered.next).not.toBeNull()
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

/** Of SQLite's lines: `SEARCH p USING INDEX …`, `SCAN p`, `USE TEMP B-TREE FOR ORDER BY`. */
function sqlitePlan(rows: readonly (readonly unknown[])[]): Plan {
  const lines = rows.map((row) => String(row[3]))
  const isFree = (line: string) => /^(?:SEARCH|SCALAR|CORRELATED|LIST SUBQUERY|MULTI-INDEX)/.test(line)
  const detours = lines.filter((line) => !isFree(line) && !/ USING .*INDEX |json_each|^CREATE BLOOM FILTER/.test(line))
  return {
    indexes: lines.flatMap((line) => /USING (?:COVERING )?INDEX (personas?_\w+_idx)/.exec(line)?.[1] ?? []),
    detours: detours.map((line) => (line === 'USE TEMP B-TREE FOR ORDER BY' ? 'Sort' : line)),
    rows: 0,
    blocks: 0,
  }
}

function postgresqlPlan([{ Plan: root }]: [{ Plan: PlanNode }]): Plan {
  const nodes = [...nodesBelow(root)]
  const scans = nodes.filter((node) => node['Node Type'].includes('Scan'))
  const visited = (node: PlanNode) =>
    (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops']
  // What lies between two milestones of a walk may be put in order, and a queue that is empty be read without its index.
  const isSmall = (node: PlanNode) => [node, ...(node.Plans ?? [])].every((one) => visited(one) <= LIST_LIMITS.stride)
  return {
    indexes: nodes.flatMap((node) => node['Index Name'] ?? []).filter((name) => name.endsWith('_idx')),
    detours: nodes
      .filter((node) => /Seq Scan|Sort|Hash|Materialize/.test(node['Node Type']) && !isSmall(node))
      .map((node) => node['Node Type']),
    rows: scans.reduce((sum, node) => sum + visited(node), 0),
    blocks: root['Shared Hit Blocks'] + root['Shared Read Blocks'],
  }
}

function* nodesBelow(node: PlanNode): Generator<PlanNode> {
  yield node
  for (const child of node.Plans ?? []) yield* nodesBelow(child)
}
