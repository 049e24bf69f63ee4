import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { pino } from 'pino'
import { parseSettings } from '../../src/config/settings.js'
import type { Database } from '../../src/database/database.js'
import { QueryPipe } from '../../src/http/query.pipe.js'
import { ListPersonasQuery } from '../../src/personas/dto/list-personas.query.js'
import { readCursor, writeCursor } from '../../src/personas/lists/cursor.js'
import {
  columnOf,
  LIST_LIMITS,
  type ListLimits,
  type ListPage,
  type ListRequest,
  SORTS,
  type SortColumn,
} from '../../src/personas/lists/list-request.js'
import { PersonaLists } from '../../src/personas/lists/persona-lists.js'
import { readList } from '../../src/personas/lists/read-list.js'
import { BASE_IMAGE_STATUSES, CONTENT_RATINGS, type Persona, type PersonaFields } from '../../src/personas/persona.js'
import { PrismaPersonaRepository } from '../../src/personas/prisma-persona.repository.js'
import { foldedWords } from '../../src/personas/search-terms.js'
import { TermIndexer } from '../../src/search/term-indexer.js'
import { saySeed, seed } from '../proof/scale.js'
import { type DatabaseName, databases, type TestDatabase } from '../support/databases.js'
import { aPersona, NOBODY } from './personas.js'

const RUNS = 12
const QUERIES_A_RUN = 12
const TEST_TIMEOUT_MS = 240_000

/** So few that a handful of personas are too many: then the list is walked, with several milestones to a page. */
const TIGHT: ListLimits = { candidates: 2, visited: 6, counted: 6, stride: 3 }

const LETTERS = 'aAbéÉßẞıİσςΣÅ가각ก紅１ﬁ\u{10400}\u{10428}\ufffd\u{10ffff}\u0301\u200d \'"\\%_-,[]{}'
const letter = fc.oneof(fc.constantFrom(...LETTERS), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }))
const text = fc.string({ unit: letter, maxLength: 8 }).map((value) => value.replaceAll('\0', ''))
/** Few, so that queries meet them. */
const theme = fc.constantFrom(
  'a',
  'A',
  'é',
  'e\u0301',
  '',
  'a","b',
  '\\',
  'tech nology',
  '😀',
  'x'.repeat(60),
  'x'.repeat(61),
)
const moment = fc.nat(5).map((seconds) => new Date(Date.UTC(2026, 0, 2, 3, 4, seconds, 67 * seconds)))

interface Stored {
  readonly fields: PersonaFields
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly generations: number
}

const stored: fc.Arbitrary<Stored> = fc.record({
  fields: fc.record({
    name: text,
    appearance: text,
    personality: text,
    contentThemes: fc.array(theme, { maxLength: 3 }),
    stylePreferences: fc.constant({}),
    defaultContentRating: fc.constantFrom(...CONTENT_RATINGS),
    allowedContentRatings: fc.subarray([...CONTENT_RATINGS], { minLength: 1 }),
    platformRestrictions: fc.constant({}),
    baseAppearanceDescription: fc.constant(null),
    baseImagePath: fc.constant(null),
    appearanceLocked: fc.boolean(),
    baseImageStatus: fc.constantFrom(...BASE_IMAGE_STATUSES),
    isActive: fc.boolean(),
  }),
  createdAt: moment,
  updatedAt: moment,
  generations: fc.nat(2),
})

const items = (values: readonly string[]) => fc.subarray([...values], { minLength: 1 }).map((some) => some.join(','))
const flag = fc.constantFrom('true', 'false')
const searched = fc.string({ unit: letter, minLength: 1, maxLength: 3 })
/** What a client may ask; most of it is left out most of the time. */
const parameters = fc.record(
  {
    limit: fc.integer({ min: 1, max: 4 }).map(String),
    active_only: flag,
    sort: fc.constantFrom(...SORTS),
    q: fc
      .oneof(
        searched,
        fc.tuple(searched, searched).map((words) => words.join(' ')),
      )
      .filter((q) => foldedWords(q).length > 0 && !q.includes('\0')),
    theme: fc.array(theme, { minLength: 1, maxLength: 2 }),
    default_content_rating: items(CONTENT_RATINGS),
    allowed_content_rating: items(CONTENT_RATINGS),
    base_image_status: items(BASE_IMAGE_STATUSES),
    appearance_locked: flag,
    created_after: moment.map((time) => time.toISOString()),
    created_before: moment.map((time) => time.toISOString()),
    updated_after: moment.map((time) => time.toISOString()),
    updated_before: moment.map((time) => time.toISOString()),
  },
  { requiredKeys: ['sort', 'limit'] },
)
/** At most three of them at once: with more nobody is found. */
const query = fc.tuple(parameters, fc.integer({ min: 0, max: 9_999 })).map(([all, chance]) => {
  const optional = Object.entries(all).filter(([name]) => name !== 'sort' && name !== 'limit')
  const kept = optional.filter((_entry, index) => (chance + index * 3) % (optional.length + 1) < 2)
  return { sort: all.sort, limit: all.limit, ...Object.fromEntries(kept) }
})

describe('lists', () => {
  const sides = new Map<DatabaseName, Side>()

  beforeAll(async () => {
    saySeed()
    for (const name of Object.keys(databases) as DatabaseName[]) sides.set(name, await Side.open(name))
  })
  afterAll(() => Promise.all([...sides.values()].map((side) => side.close())))

  it.each([
    ['of few', LIST_LIMITS],
    ['of too many to be looked at one by one', TIGHT],
  ])(
    '%s are what a plain look at everyone finds, on both databases, there and back',
    async (_label, limits) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(stored, { minLength: 3, maxLength: 12 }),
          fc.array(query, { minLength: QUERIES_A_RUN, maxLength: QUERIES_A_RUN }),
          fc.array(text, { maxLength: 3 }),
          fc.boolean(),
          async (personas, queries, renamed, isIndexed) => {
            const ids = personas.map((_persona, n) => idOf(n))
            const everyone = [...sides.values()].map((side) => side.fill(personas, renamed, isIndexed))
            const [known = [], other] = await Promise.all(everyone)
            expect(other).toEqual(known)
            expect(known.map(({ id }) => id).sort()).toEqual(ids)
            for (const asked of queries) {
              for (const side of sides.values()) {
                const { request, walked } = await side.walk(asked, limits)
                const expected = expectedOf(known, request)
                expect([side.name, asked, walked]).toEqual([side.name, asked, { there: expected, back: expected }])
                if (request.filters.words.length + request.filters.themes.length > 0) continue
                const { count, isExact } = (await side.page({ ...request, isCounted: true }, limits)).total ?? {}
                if (isExact || limits === LIST_LIMITS) expect([count, isExact]).toEqual([expected.length, true])
                expect(count).toBeLessThanOrEqual(expected.length)
              }
            }
          },
        ),
        { seed, numRuns: RUNS, endOnFailure: true },
      )
    },
    TEST_TIMEOUT_MS,
  )

  it('pass over nobody whose time somebody has written in another form', async () => {
    const side = sides.get('SQLite')
    const ids = Array.from({ length: 5 }, (_value, n) => idOf(n)).sort()
    await side?.fillWithTime(ids, '2026-11-23T05:06:07.089Z')
    for (const sort of ['created_at', '-created_at']) {
      const expected = sort === 'created_at' ? ids : ids.toReversed()
      expect((await side?.walk({ sort, limit: '2' }, LIST_LIMITS))?.walked).toEqual({ there: expected, back: expected })
      // Nobody is found, and the search ends.
      expect((await side?.walk({ sort, limit: '1', q: 'nobody' }, LIST_LIMITS))?.walked.there).toEqual([])
    }
  })
})

function idOf(n: number): string {
  return `019aaf3e-0000-7000-8000-${String((n * 7919) % 100_000).padStart(12, '0')}`
}

/** A database, as the service reads it. */
class Side {
  private constructor(
    readonly name: DatabaseName,
    private readonly database: TestDatabase,
    private readonly connection: Database,
    private readonly indexer: TermIndexer,
  ) {}

  static async open(name: DatabaseName): Promise<Side> {
    const database = await databases[name]()
    const settings = parseSettings({ DATABASE_URL: database.url }, false)
    const indexer = new TermIndexer(settings.database, pino({ level: 'silent' }))
    return new Side(name, database, await database.connect(), indexer)
  }

  async close(): Promise<void> {
    await this.indexer.stop()
    await this.connection.close()
    await this.database.remove()
  }

  /** Stores these and no others; some are renamed after the index has seen them. Answers all that are there. */
  async fill(personas: readonly Stored[], renamed: readonly string[], isIndexed: boolean): Promise<Persona[]> {
    const repository = new PrismaPersonaRepository(this.connection)
    await this.database.query('DELETE FROM personas')
    for (const [n, { fields, createdAt, generations }] of personas.entries()) {
      const { id } = await repository.insert(aPersona({ ...fields, id: idOf(n), createdAt }), NOBODY)
      if (generations > 0) await repository.addGenerations(id, generations, NOBODY)
    }
    if (isIndexed) await this.indexer.drain()
    for (const [n, name] of renamed.entries()) await repository.updateIf(idOf(n), { name }, {}, NOBODY)
    for (const [n, { updatedAt }] of personas.entries()) {
      const time = updatedAt.toISOString().replace('Z', '+00:00')
      await this.database.query(`UPDATE personas SET updated_at = '${time}' WHERE id = '${idOf(n)}'`)
    }
    return repository.findPage({ skip: 0, limit: 100, activeOnly: false })
  }

  /** Stores these and no others, with a time as it is given. */
  async fillWithTime(ids: readonly string[], time: string): Promise<void> {
    const repository = new PrismaPersonaRepository(this.connection)
    await this.database.query('DELETE FROM personas')
    for (const id of ids) await repository.insert(aPersona({ id }), NOBODY)
    await this.database.query(`UPDATE personas SET created_at = '${time}'`)
  }

  page(request: ListRequest, limits: ListLimits): Promise<ListPage> {
    return new PersonaLists(this.connection, limits).page(request)
  }

  /** The ids on all pages of a list, from the first to the last, and from the last to the first. */
  async walk(asked: Record<string, unknown>, limits: ListLimits) {
    const lists = new PersonaLists(this.connection, limits)
    const type = { type: 'query', metatype: ListPersonasQuery } as const
    const request = readList(new QueryPipe().transform(asked, type) as ListPersonasQuery, lists.dialect)
    const there: string[] = []
    let back: string[] = []
    let lastPrevious: ListRequest | null = null
    for (let next: ListRequest | null = request; next;) {
      const page = await lists.page(next)
      const ids = page.personas.map(({ id }) => id)
      expect(ids.length).toBeLessThanOrEqual(request.limit)
      there.push(...ids)
      back = ids
      lastPrevious = page.previous && carried(request, page.previous, true)
      next = page.next && carried(request, page.next, false)
    }
    for (let previous = lastPrevious; previous;) {
      const page = await lists.page(previous)
      back.unshift(...page.personas.map(({ id }) => id))
      previous = page.previous && carried(request, page.previous, true)
    }
    return { request, walked: { there, back } }
  }
}

/** The request that a client makes with the cursor of a position. */
function carried(request: ListRequest, start: NonNullable<ListRequest['start']>, isBackwards: boolean): ListRequest {
  const cursor = readCursor(request, writeCursor(request, { start, isBackwards }))
  if (typeof cursor === 'string') throw new Error(cursor)
  return { ...request, ...cursor }
}

/** What a list has, by its definition. */
function expectedOf(everyone: readonly Persona[], { sort, filters }: ListRequest): string[] {
  const { defaultRatings, allowedRatings = [], baseImageStatuses, appearanceLocked, created, updated } = filters
  const isWithin = (time: Date, { from, to }: typeof created) => (!from || time >= from) && (!to || time < to)
  const hasWord = (persona: Persona, word: string) =>
    [persona.name, persona.appearance, persona.personality, ...persona.contentThemes]
      .flatMap(foldedWords)
      .some((own) => own.startsWith(word))
  const sign = sort.startsWith('-') ? -1 : 1
  return everyone
    .filter((persona) => persona.isActive || !filters.activeOnly)
    .filter((persona) => defaultRatings?.includes(persona.defaultContentRating) ?? true)
    .filter((persona) => allowedRatings.every((rating) => persona.allowedContentRatings.includes(rating)))
    .filter((persona) => baseImageStatuses?.includes(persona.baseImageStatus) ?? true)
    .filter((persona) => persona.appearanceLocked === (appearanceLocked ?? persona.appearanceLocked))
    .filter((persona) => isWithin(persona.createdAt, created) && isWithin(persona.updatedAt, updated))
    .filter((persona) => filters.themes.every((one) => persona.contentThemes.includes(one)))
    .filter((persona) => filters.words.every((word) => hasWord(persona, word)))
    .sort((one, another) => sign * (compare(one, another, columnOf(sort)) || (one.id < another.id ? -1 : 1)))
    .map(({ id }) => id)
}

function compare(one: Persona, another: Persona, column: SortColumn): number {
  switch (column) {
    case 'name':
      return Buffer.compare(Buffer.from(one.name), Buffer.from(another.name))
    case 'created_at':
      return one.createdAt.getTime() - another.createdAt.getTime()
    case 'updated_at':
      return one.updatedAt.getTime() - another.updatedAt.getTime()
    case 'generation_count':
      return one.generationCount - another.generationCount
  }
}
