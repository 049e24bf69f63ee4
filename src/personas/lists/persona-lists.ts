import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Database, DirectReads } from '../../database/database.js'
import type { Persona } from '../persona.js'
import { personaOf } from '../reads/persona.statements.js'
import { isMatch } from '../search-terms.js'
import { DIALECTS, type ListDialect } from './list-dialect.js'
import { candidatesOf } from './list-candidates.js'
import { countList } from './list-count.js'
import {
  columnOf,
  LIST_LIMITS,
  type ListLimits,
  type ListPage,
  type ListRequest,
  type Position,
} from './list-request.js'
import { KEY_COLUMN, ListStatements, type Run } from './list.statements.js'

/** So many rows of a search are one statement. */
const SEARCHED_AT_A_TIME = 100
/** So many characters are searched in some milliseconds, while nobody else has a turn. */
const CHARACTERS_AT_A_TIME = 65_536

interface Found {
  readonly persona: Persona
  readonly position: Position
}

/** What a look through a list has found, in the order in which it looked. */
interface Findings {
  /** One more than asked for when there are more. */
  readonly found: readonly Found[]
  /** Where it gave up; null when the list has ended, or enough was found. */
  readonly stoppedAt: Position | null
}

type Row = readonly unknown[]

/**
 * Lists that are sorted, filtered and searched. What a page costs is bounded, whatever the table holds: it is read along
 * one index, or put together from a number of personas that were found otherwise, or has looked at a number of rows.
 */
export class PersonaLists {
  constructor(
    private readonly database: Pick<Database, 'directReads'>,
    private readonly limits: ListLimits = LIST_LIMITS,
  ) {}

  async page(request: ListRequest): Promise<ListPage> {
    const [{ found, stoppedAt }, total] = await Promise.all([
      this.#look(request),
      request.isCounted ? countList(request, this.dialect, this.#run, this.limits) : null,
    ])
    const shown = found.slice(0, request.limit)
    const ahead = found.length > shown.length ? (shown.at(-1)?.position ?? null) : stoppedAt
    // Whence the page came there is something: what the start is the position of, or was. A page that has nobody leads back
    // to just there.
    const behind = request.start && (shown[0]?.position ?? { ...request.start, isIncluded: true })
    const personas = shown.map(({ persona }) => persona)
    return request.isBackwards
      ? { personas: personas.reverse(), next: behind, previous: ahead, total }
      : { personas, next: ahead, previous: behind, total }
  }

  /** The SQL of the database that is used. */
  get dialect(): ListDialect {
    return DIALECTS[this.#reads.kind]
  }

  get #reads(): DirectReads {
    const { directReads } = this.database
    if (!directReads) throw new Error('lists need statements of their own, and this database runs none')
    return directReads
  }

  async #look(request: ListRequest): Promise<Findings> {
    const statements = new ListStatements(this.dialect, request)
    if (!statements.isSelective) return this.#walk(request, statements)
    const ids = await candidatesOf(request.filters, statements, this.#run, this.limits.candidates)
    return ids ? this.#pick(request, statements, ids) : this.#walk(request, statements)
  }

  // In two steps: to put all of them in order takes little of each, and few are read whole.
  async #pick(request: ListRequest, statements: ListStatements, ids: readonly string[]): Promise<Findings> {
    const { filters, limit, start } = request
    const rows = await this.#run(statements.places(ids, start))
    const places = rows.map(([key, id]) => this.#positionOf(request, key, id))
    const found: Found[] = []
    for (let n = 0; n < places.length && found.length <= limit;) {
      const some = places.slice(n, n + wantedOf(request, found))
      n += some.length
      const personas = (await this.#run(statements.pick(some.map(({ id }) => id)))).map(personaOf)
      const matching = new Map((await matchesAmong(personas, filters)).map((persona) => [persona.id, persona]))
      for (const position of some) {
        const persona = matching.get(position.id)
        if (persona) found.push({ persona, position })
      }
    }
    return { found, stoppedAt: null }
  }

  async #walk(request: ListRequest, statements: ListStatements): Promise<Findings> {
    const found: Found[] = []
    let from = request.start
    for (let visited = 0; visited < this.limits.visited; visited += this.limits.stride) {
      const upTo = statements.isSelective ? await this.#milestone(request, statements, from) : null
      await this.#collect(request, statements, found, [from, upTo])
      if (found.length > request.limit || !upTo) return { found, stoppedAt: null }
      from = upTo
    }
    return { found, stoppedAt: from }
  }

  async #milestone(request: ListRequest, statements: ListStatements, from: Position | null): Promise<Position | null> {
    const [row] = await this.#run(statements.milestone(from, this.limits.stride))
    return row ? this.#positionOf(request, row[0], row[1]) : null
  }

  /** Adds what matches, until there is one more than the page has. */
  async #collect(
    request: ListRequest,
    statements: ListStatements,
    found: Found[],
    [from, upTo]: readonly [Position | null, Position | null],
  ): Promise<void> {
    const { filters, limit, sort } = request
    for (let after = from; ;) {
      const wanted = wantedOf(request, found)
      const rows = await this.#run(statements.walk(after, upTo, wanted))
      const read = rows.map((row) => this.#foundIn(sort, row))
      const matching = new Set(
        await matchesAmong(
          read.map(({ persona }) => persona),
          filters,
        ),
      )
      found.push(...read.filter(({ persona }) => matching.has(persona)))
      if (rows.length < wanted || found.length > limit) return
      after = read.at(-1)?.position ?? null
    }
  }

  #foundIn(sort: ListRequest['sort'], row: Row): Found {
    const persona = personaOf(row)
    return { persona, position: this.#positionOf({ sort }, row[KEY_COLUMN], persona.id) }
  }

  #positionOf({ sort }: Pick<ListRequest, 'sort'>, raw: unknown, id: unknown): Position {
    return { key: this.dialect.keyOf(columnOf(sort), raw), id: id as string }
  }

  readonly #run: Run = async ({ sql, values }) => {
    const reads = this.#reads
    if (reads.kind === 'remote') return reads.rowsOnce(sql, values)
    const rows = await reads.read((file) => file.rows(sql, values))
    // SQLite answers at once: others are to have their turn before the next statement.
    await nextTurn()
    return rows
  }
}

/** Those that are what was searched for; with turns for others between, since their texts may be long. */
async function matchesAmong(personas: readonly Persona[], filters: ListRequest['filters']): Promise<Persona[]> {
  const matching: Persona[] = []
  let characters = 0
  for (const persona of personas) {
    if (isMatch(persona, filters)) matching.push(persona)
    characters += charactersOf(persona)
    if (characters < CHARACTERS_AT_A_TIME) continue
    characters = 0
    await nextTurn()
  }
  return matching
}

function charactersOf({ name, appearance, personality, contentThemes }: Persona): number {
  return [name, appearance, personality, ...contentThemes].reduce((sum, text) => sum + text.length, 0)
}

/** How many rows to read next. What is searched for is decided here, row by row: few at a time would be many statements. */
function wantedOf({ filters, limit }: ListRequest, found: readonly Found[]): number {
  const isSearch = filters.words.length + filters.themes.length > 0
  return Math.max(limit + 1 - found.length, isSearch ? SEARCHED_AT_A_TIME : 1)
}
