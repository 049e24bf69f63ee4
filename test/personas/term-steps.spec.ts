import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { parseSettings } from '../../src/config/settings.js'
import { termsOf } from '../../src/personas/search-terms.js'
import { openTermStore } from '../../src/search/open-term-store.js'
import { nextSteps } from '../../src/search/term-steps.js'
import type { Step, TermStore } from '../../src/search/term-store.js'
import { saySeed, seed } from '../proof/scale.js'
import { onEachDatabase, databases, type TestDatabase } from '../support/databases.js'

const RUNS = 40
/** So few that a persona takes several steps. */
const LIMITS = { entries: 3, bytes: 40, terms: 2 }
const IDS = ['a', 'b'] as const

type Action =
  | { readonly kind: 'write'; readonly id: string; readonly words: readonly string[] }
  | { readonly kind: 'delete'; readonly id: string }
  | { readonly kind: 'step'; readonly indexer: 0 | 1 }

const id = fc.constantFrom(...IDS)
const words = fc.uniqueArray(fc.constantFrom('one', 'two', 'three', 'four', 'five', 'six', 'seven'), { maxLength: 7 })
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('write' as const), id, words }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), id }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('step' as const), indexer: fc.constantFrom(0 as const, 1 as const) }),
  },
)

onEachDatabase((kind) => {
  describe('the index of words', () => {
    let database: TestDatabase
    let stores: TermStore[]

    beforeAll(async () => {
      saySeed()
      database = await databases[kind]()
      const settings = parseSettings({ DATABASE_URL: database.url }, false).database
      stores = [await openTermStore(settings), await openTermStore(settings)]
    })
    afterAll(async () => {
      for (const store of stores) await store.close()
      await database.remove()
    })

    const write = (key: string, text: string) =>
      database.query(
        `INSERT INTO personas (id, name, appearance, personality, created_at, updated_at)
         VALUES ('${key}', '${text}', '', '', '2026-01-02', '2026-01-02')
         ON CONFLICT (id) DO UPDATE SET name = excluded.name`,
      )

    /** Takes the next step of what an indexer has read, or reads what is next; answers whether there was any. */
    async function advance(store: TermStore, planned: Step[]): Promise<boolean> {
      if (planned.length === 0) planned.push(...(await nextSteps(store, LIMITS)))
      const step = planned.shift()
      if (!step) return false
      expect(step.gone.length + step.added.length).toBeLessThanOrEqual(LIMITS.terms)
      if ((await store.apply(step)) === 'void') planned.length = 0
      return true
    }

    it('has what the texts say once the queue is empty, whoever else indexes and writes meanwhile', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
          await database.query('DELETE FROM personas')
          const planned: [Step[], Step[]] = [[], []]
          for (const one of actions) {
            if (one.kind === 'write') await write(one.id, one.words.join(' '))
            else if (one.kind === 'delete') await database.query(`DELETE FROM personas WHERE id = '${one.id}'`)
            else await advance(stores[one.indexer]!, planned[one.indexer])
          }
          for (const [n, store] of stores.entries()) while (await advance(store, planned[n]!));
          const there = await database.query('SELECT id, name FROM personas')
          const expected = there.flatMap((row) =>
            termsOf({ name: String(row['name']), appearance: '', personality: '', contentThemes: [] }).map(
              (term) => `${String(row['id'])} ${term}`,
            ),
          )
          const rows = await database.query('SELECT persona_id, term FROM persona_terms')
          const indexed = rows.map((row) => `${String(row['persona_id'])} ${String(row['term'])}`)
          expect(indexed.sort()).toEqual(expected.sort())
          expect(await database.query('SELECT seq FROM personas_unindexed')).toEqual([])
        }),
        { seed, numRuns: RUNS, endOnFailure: true },
      )
    })

    it('comes to the others while one of many terms goes on changing', async () => {
      await database.query('DELETE FROM personas')
      await write('a', 'one two three four')
      await write('b', 'five')
      const isQueued = async () =>
        (await database.query(`SELECT 1 FROM personas_unindexed WHERE persona_id = 'b'`)).length > 0
      const [store] = stores as [TermStore]
      for (let n = 0; n < 10 && (await isQueued()); n++) {
        const steps = await nextSteps(store, { ...LIMITS, entries: 2 })
        await write('a', `one two three four ${n}`)
        for (const step of steps) if ((await store.apply(step)) === 'void') break
      }
      expect(await isQueued()).toBe(false)
    })

    it('takes themes of any length and number', async () => {
      const themes = [
        ...Array.from({ length: 40 }, (_theme, n) => `theme ${n}`),
        'x'.repeat(100_000),
        '😀'.repeat(5_000),
      ]
      await database.query(
        `INSERT INTO personas (id, name, appearance, personality, content_themes, created_at, updated_at)
         VALUES ('themes', 'n', '', '', '${JSON.stringify(themes)}', '2026-01-02', '2026-01-02')`,
      )
      const steps: Step[] = []
      while (await advance(stores[0]!, steps));
      const rows = await database.query(`SELECT term FROM persona_terms WHERE persona_id = 'themes'`)
      const expected = termsOf({ name: 'n', appearance: '', personality: '', contentThemes: themes })
      expect(rows.map(({ term }) => term).sort()).toEqual(expected.sort())
    })
  })
})
