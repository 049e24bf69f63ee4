import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Database, DirectReads } from '../../database/database.js'
import type { Persona } from '../persona.js'
import { personaOf } from '../reads/persona.statements.js'
import { isMatch } from '../search-terms.js'
import { DIALECTS, type ListDialect } from './list-dialect.js'
import { columnOf, type ListFilters, type ListPage, type ListRequest, type Position } from './list-request.js'
import { KEY_COLUMN, ListStatements, type Statement } from './list.statements.js'

/** What bounds the cost of a page. */
export interface ListLimits {
  /** Up to so many personas are looked at one by one, in place of a walk through the list. */
  readonly candidates: number
  /** A page is answered after so many rows of the list, however few of them it has: the next one goes on there. */
  readonly visited: number
  /** So many rows of a walk are one statement: SQLite's keep everybody else waiting while they run. */
  readonly stride: number
}

/**
 * Of what more than 2,000 of 1,000,000 personas have, 5,000 rows have ten, when it is spread evenly: a page of ten is full
 * up to there.
 */
export const LIST_LIMITS: ListLimits = { candidates: 2_000, visited: 5_000, stride: 1_000 }

/** So many rows of a search are one statement: each of them looks at all candidates. */
const SEARCHED_AT_A_TIME = 200

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

/** The rows after one position and not beyond another, as many as asked for. */
type RowsBetween = (after: Position | null, upTo: Position | null, limit: number) => Statement

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
    const statements = new ListStatements(this.dialect, request)
    const [{ found, stoppedAt }, total] = await Promise.all([
      this.#look(request, statements),
      request.isCounted ? this.#count(statements) : null,
    ])
    const shown = found.slice(0, request.limit)
    const ahead = found.length > shown.length ? (shown.at(-1)?.position ?? null) : stoppedAt
    // Whence the page came there is something: what the start is the position of, or was.
    const behind = request.start && (shown[0]?.position ?? null)
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

  async #count(statements: ListStatements): Promise<number> {
    const [[total] = []] = await this.#rows(statements.count())
    return Number(total)
  }

  async #look(request: ListRequest, statements: ListStatements): Promise<Findings> {
    const ids = statements.isSelective ? await this.#candidates(request.filters, statements) : null
    if (!ids) return this.#walk(request, statements)
    const found: Found[] = []
    await this.#collect(request, found, [request.start, null], (after, _upTo, limit) =>
      statements.pick(ids, after, limit),
    )
    return { found, stoppedAt: null }
  }

  /** All personas that the list may have, when one of its filters leaves few; else null. */
  async #candidates({ words, themes }: ListFilters, statements: ListStatements): Promise<string[] | null> {
    const searches = words.length + themes.length
    // Before the index: what leaves the queue meanwhile is in the index by then.
    const unindexed = searches > 0 ? await this.#idsOf([statements.unindexed(this.limits.candidates + 1)]) : []
    for (const [index, probe] of statements.probes(this.limits.candidates + 1).entries()) {
      const isSearch = index < searches
      if (isSearch && unindexed === null) continue
      const ids = await this.#idsOf(probe)
      if (ids) return isSearch ? [...new Set([...ids, ...(unindexed ?? [])])] : ids
    }
    return null
  }

  /** The ids that statements answer, each once; null when there are too many. */
  async #idsOf(statements: readonly Statement[]): Promise<string[] | null> {
    const ids = new Set<string>()
    for (const statement of statements) {
      const rows = await this.#rows(statement)
      for (const [id] of rows) ids.add(id as string)
      if (rows.length > this.limits.candidates || ids.size > this.limits.candidates) return null
    }
    return [...ids]
  }

  async #walk(request: ListRequest, statements: ListStatements): Promise<Findings> {
    const found: Found[] = []
    const between: RowsBetween = (after, upTo, limit) => statements.walk(after, upTo, limit)
    let from = request.start
    for (let visited = 0; visited < this.limits.visited; visited += this.limits.stride) {
      const upTo = statements.isSelective ? await this.#milestone(request, statements, from) : null
      await this.#collect(request, found, [from, upTo], between)
      if (found.length > request.limit || !upTo) return { found, stoppedAt: null }
      from = upTo
    }
    return { found, stoppedAt: from }
  }

  async #milestone(request: ListRequest, statements: ListStatements, from: Position | null): Promise<Position | null> {
    const [row] = await this.#rows(statements.milestone(from, this.limits.stride))
    return row ? this.#positionOf(request, row[0], row[1]) : null
  }

  /** Adds what matches, until there is one more than the page has. */
  async #collect(
    { filters, limit, sort }: ListRequest,
    found: Found[],
    [from, upTo]: readonly [Position | null, Position | null],
    between: RowsBetween,
  ): Promise<void> {
    // What is searched for is decided here, row by row: few at a time would be many statements.
    const least = filters.words.length + filters.themes.length > 0 ? SEARCHED_AT_A_TIME : 1
    for (let after = from; ;) {
      const wanted = Math.max(limit + 1 - found.length, least)
      const rows = await this.#rows(between(after, upTo, wanted))
      const read = rows.map((row) => this.#foundIn(sort, row))
      found.push(...read.filter(({ persona }) => isMatch(persona, filters)))
      if (rows.length < wanted || found.length > limit) return
      after = read.at(-1)?.position ?? null
      // SQLite answers at once: others are to have their turn.
      await nextTurn()
    }
  }

  #foundIn(sort: ListRequest['sort'], row: Row): Found {
    const persona = personaOf(row)
    return { persona, position: this.#positionOf({ sort }, row[KEY_COLUMN], persona.id) }
  }

  #positionOf({ sort }: Pick<ListRequest, 'sort'>, raw: unknown, id: unknown): Position {
    return { key: this.dialect.keyOf(columnOf(sort), raw), id: id as string }
  }

  #rows({ sql, values }: Statement): Promise<readonly Row[]> {
    const reads = this.#reads
    return reads.kind === 'local' ? reads.read((file) => file.rows(sql, values)) : reads.rowsOnce(sql, values)
  }
}
