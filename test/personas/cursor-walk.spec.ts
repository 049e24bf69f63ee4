import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Database } from '../../src/database/database.js'
import { readCursor, writeCursor } from '../../src/personas/lists/cursor.js'
import { LIST_LIMITS, type ListLimits, type ListRequest, SORTS } from '../../src/personas/lists/list-request.js'
import { PersonaLists } from '../../src/personas/lists/persona-lists.js'
import { saySeed, seed } from '../proof/scale.js'
import { databases, onEachDatabase, type TestDatabase } from '../support/databases.js'

const RUNS = 40
const TEST_TIMEOUT_MS = 120_000
/** With these a page looks at six personas, and has nobody when none of them is a draft. */
const TIGHT: ListLimits = { candidates: 1, visited: 6, counted: 6, stride: 2 }
const ANYTIME = { from: null, to: null }

/** What lists are sorted and filtered by; so few values that many share one. */
interface Stored {
  readonly name: string
  readonly seconds: number
  readonly generations: number
  readonly isDraft: boolean
}
const stored: fc.Arbitrary<Stored> = fc.record({
  name: fc.constantFrom('A', 'B', 'C'),
  seconds: fc.nat(3),
  generations: fc.nat(2),
  isDraft: fc.oneof({ weight: 1, arbitrary: fc.constant(true) }, { weight: 3, arbitrary: fc.constant(false) }),
})

/** What happens between two pages: of those who may be touched, `place` is one. */
interface Change {
  readonly kind: 'insert' | 'delete' | 'move'
  readonly place: number
  readonly values: Stored
}
const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom('insert', 'delete', 'move'),
  place: fc.nat(99),
  values: stored,
})

interface Asked {
  readonly sort: ListRequest['sort']
  readonly limit: number
  readonly limits: ListLimits
  readonly draftsOnly: boolean
}
const asked: fc.Arbitrary<Asked> = fc.record({
  sort: fc.constantFrom(...SORTS),
  limit: fc.integer({ min: 1, max: 4 }),
  limits: fc.constantFrom(TIGHT, LIST_LIMITS),
  draftsOnly: fc.boolean(),
})
const everyone = fc.array(stored, { minLength: 5, maxLength: 25 })

/** In no order that another column has. */
const idOf = (n: number) => `${(n * 7) % 10}-${n}`

onEachDatabase((kind) => {
  describe('a walk by cursors', () => {
    let database: TestDatabase
    let connection: Database

    beforeAll(async () => {
      saySeed()
      database = await databases[kind]()
      connection = await database.connect()
    })
    afterAll(async () => {
      await connection.close()
      await database.remove()
    })

    async function fill(personas: readonly Stored[]): Promise<void> {
      const rows = personas.map((values, n) => insertOf(idOf(n), values))
      await database.query(`BEGIN; DELETE FROM personas; ${rows.join('; ')}; COMMIT`)
    }

    /** The ids of page after page, each with the way that it was reached by; `turn` says which way to go on. */
    async function* walk(
      { sort, limit, limits, draftsOnly }: Asked,
      turn: (page: number) => 'on' | 'back',
    ): AsyncGenerator<{ ids: string[]; isBackwards: boolean }> {
      const lists = new PersonaLists(connection, limits)
      const anyone = { activeOnly: true, words: [], themes: [], created: ANYTIME, updated: ANYTIME }
      const filters = { ...anyone, ...(draftsOnly && { baseImageStatuses: ['draft' as const] }) }
      let request: ListRequest = { sort, filters, limit, start: null, isBackwards: false, isCounted: false }
      for (let n = 0; ; n++) {
        const { personas, next, previous } = await lists.page(request)
        // Whence it came a page leads back.
        if (request.start) expect(request.isBackwards ? next : previous).not.toBeNull()
        yield { ids: personas.map(({ id }) => id), isBackwards: request.isBackwards }
        const isBackwards = turn(n) === 'back' && previous !== null
        const start = isBackwards ? previous : next
        if (!start) return
        const cursor = readCursor(request, writeCursor(request, { start, isBackwards }))
        if (typeof cursor === 'string') throw new Error(cursor)
        request = { ...request, ...cursor }
      }
    }

    it(
      'meets everyone whom nobody touches, once, while others come, go and move',
      async () => {
        const changes = fc.array(fc.array(change, { maxLength: 3 }), { maxLength: 12 })
        await fc.assert(
          fc.asyncProperty(
            everyone,
            fc.func(fc.boolean()),
            changes,
            asked,
            async (personas, mayBeTouched, all, list) => {
              await fill(personas)
              const touched = personas.map((_persona, n) => idOf(n)).filter((id) => mayBeTouched(id))
              const kept = personas
                .map(({ isDraft }, n) => ({ id: idOf(n), isListed: isDraft || !list.draftsOnly }))
                .filter(({ id, isListed }) => isListed && !touched.includes(id))
                .map(({ id }) => id)
              const met: string[] = []
              let page = 0
              for await (const { ids } of walk(list, () => 'on')) {
                met.push(...ids.filter((id) => kept.includes(id)))
                const statements = (all[page++] ?? []).map((one, n) => sqlOf(one, touched, `${page}-${n}`))
                if (statements.length > 0) await database.query(`BEGIN; ${statements.join('; ')}; COMMIT`)
              }
              expect(met.sort()).toEqual(kept.sort())
            },
          ),
          { seed, numRuns: RUNS, endOnFailure: true },
        )
      },
      TEST_TIMEOUT_MS,
    )

    it(
      'may turn round at any page, also at one that has nobody: what it meets joins on to that',
      async () => {
        const turns = fc.array(fc.constantFrom('on' as const, 'back' as const), { maxLength: 20 })
        await fc.assert(
          fc.asyncProperty(everyone, asked, turns, async (personas, list, ways) => {
            await fill(personas)
            const whole: string[] = []
            for await (const { ids } of walk(list, () => 'on')) whole.push(...ids)
            let [from, to] = [0, 0]
            for await (const { ids, isBackwards } of walk(list, (n) => ways[n] ?? 'on')) {
              ;[from, to] = isBackwards ? [from - ids.length, from] : [to, to + ids.length]
              expect(ids).toEqual(whole.slice(from, to))
            }
            expect(to).toBe(whole.length)
          }),
          { seed, numRuns: RUNS, endOnFailure: true },
        )
      },
      TEST_TIMEOUT_MS,
    )
  })
})

function columnsOf({ name, seconds, generations, isDraft }: Stored): Record<string, string> {
  const time = `'2026-01-02T03:04:0${seconds}.000+00:00'`
  return {
    name: `'${name}'`,
    created_at: time,
    updated_at: time,
    generation_count: String(generations),
    base_image_status: isDraft ? `'draft'` : `'approved'`,
  }
}

function insertOf(id: string, values: Stored): string {
  const row = { id: `'${id}'`, appearance: `''`, personality: `''`, ...columnsOf(values) }
  return `INSERT INTO personas (${Object.keys(row).join(', ')}) VALUES (${Object.values(row).join(', ')})`
}

/** @param added the end of the id of a new one, whom the next changes may touch */
function sqlOf({ kind, place, values }: Change, touched: string[], added: string): string {
  const id = touched[place % touched.length] ?? ''
  switch (kind) {
    case 'insert':
      touched.push(`${place % 10}-new-${added}`)
      return insertOf(touched.at(-1) ?? '', values)
    case 'delete':
      return `DELETE FROM personas WHERE id = '${id}'`
    case 'move': {
      const assignments = Object.entries(columnsOf(values)).map(([column, value]) => `${column} = ${value}`)
      return `UPDATE personas SET ${assignments.join(', ')} WHERE id = '${id}'`
    }
  }
}
