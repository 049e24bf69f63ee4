import { LRUCache } from 'lru-cache'
import type { DirectReads, LocalReads, SqlValue } from '../../database/database.js'
import { PASSED_AT_A_TIME, readDeepPage } from '../lists/deep-page.js'
import { SQLITE } from '../lists/list-dialect.js'
import type { Run } from '../lists/list.statements.js'
import type { PageRequest } from '../persona.repository.js'
import { ChangeFollower } from './change-follower.js'
import { Doorkeeper } from './doorkeeper.js'
import { PersonaReads } from './persona.reads.js'
import {
  countStatement,
  personaOf,
  type PersonaStatements,
  SQLITE_IDS,
  SQLITE_STATEMENTS,
  SQLITE_WRITTEN,
} from './persona.statements.js'
import { bodyOfAll, type PageRepresentation, represent, representAll, type Representation } from './representation.js'
import { representationOf } from './written.js'

type LocalDirectReads = Extract<DirectReads, { kind: 'local' }>

/** What an entry takes beside its body: key, ETag, and the cache's own bookkeeping. */
const ENTRY_BYTES = 400

/**
 * By prepared statements, from SQLite, with what was sent kept to be sent again. Before every read it is asked whether any
 * process has committed something, and what; that, the look into the cache and the read itself are one turn of the event
 * loop, so that nothing that was read before a change is kept after it.
 */
export class CachedReads extends PersonaReads {
  readonly #follower = new ChangeFollower()
  readonly #doorkeeper = new Doorkeeper()
  readonly #personas: LRUCache<string, Representation>
  readonly #pages: LRUCache<string, PageRepresentation>

  /** @param maxBytes what may be kept: of single personas one half, of pages the other */
  constructor(
    private readonly reads: LocalDirectReads,
    maxBytes: number,
  ) {
    super()
    // What is larger than all that may be kept is not kept.
    const maxSize = Math.max(1, Math.floor(maxBytes / 2))
    this.#personas = new LRUCache<string, Representation>({ maxSize, sizeCalculation: sizeOf })
    this.#pages = new LRUCache<string, PageRepresentation>({ maxSize, sizeCalculation: sizeOf })
  }

  override find(id: string): Promise<Representation | null> {
    return this.reads.read((file) => {
      this.#forgetWhatChanged(file)
      return this.#personas.get(id) ?? this.#read(file, ({ one }) => one, [id])[0] ?? null
    })
  }

  override findPage(page: PageRequest): Promise<PageRepresentation> {
    if (page.skip > PASSED_AT_A_TIME) return this.#readDeepPage(page)
    const key = `${page.skip} ${page.limit} ${String(page.activeOnly)}`
    return this.reads.read((file) => {
      this.#forgetWhatChanged(file)
      return this.#pages.get(key) ?? this.#readPage(file, page, key)
    })
  }

  // It is none of one moment, and not kept.
  async #readDeepPage(page: PageRequest): Promise<PageRepresentation> {
    const run: Run = ({ sql, values }) => this.reads.read((file) => file.rows(sql, values))
    const total = await this.reads.read((file) => totalOf(file, page))
    const personas = page.skip < total ? await readDeepPage(page, SQLITE, run) : []
    return { body: representAll(personas), total }
  }

  #forgetWhatChanged(file: LocalReads): void {
    const changes = this.#follower.follow(file)
    if (changes === 'unknown') {
      for (const kept of [this.#personas, this.#pages]) kept.clear()
      return
    }
    if (changes.length === 0) return
    for (const id of changes) this.#personas.delete(id)
    this.#pages.clear()
  }

  #readPage(file: LocalReads, page: PageRequest, key: string): PageRepresentation {
    const total = totalOf(file, page)
    // Beyond the end there is nothing, and to see that SQLite would pass over all that there is.
    const read = () => this.#read(file, (statements) => statements.page(page.activeOnly), [page.limit, page.skip])
    const personas = page.skip < total ? (this.#keptOf(file, page) ?? read()) : []
    const representation = { body: bodyOfAll(personas), total }
    this.#pages.set(key, representation)
    return representation
  }

  /** The personas of a page when all of them are kept: a write forgets every page, and few of their personas. */
  #keptOf(file: LocalReads, { skip, limit, activeOnly }: PageRequest): Representation[] | null {
    if (this.#personas.size === 0) return null
    const kept: Representation[] = []
    for (const [id] of file.plainRows(SQLITE_IDS.page(activeOnly), [limit, skip])) {
      const persona = this.#personas.get(id as string)
      if (!persona) return null
      kept.push(persona)
    }
    // With a commit since they were kept, the page would be of two states.
    return this.#follower.isCurrent(file) ? kept : null
  }

  #read(
    file: LocalReads,
    statement: (statements: PersonaStatements) => string,
    values: readonly SqlValue[],
  ): Representation[] {
    const written = file.plainRows(statement(SQLITE_WRITTEN), values).map(representationOf)
    const read = written.every((one) => one !== null)
      ? written
      : file.plainRows(statement(SQLITE_STATEMENTS), values).map((row) => represent(personaOf(row)))
    for (const one of read) this.#keep(one)
    return read
  }

  #keep(read: Representation): void {
    const isRoom = this.#personas.calculatedSize + sizeOf(read) <= this.#personas.maxSize
    if (this.#doorkeeper.knows(read.id) || isRoom) this.#personas.set(read.id, read)
  }
}

function totalOf(file: LocalReads, { activeOnly }: Pick<PageRequest, 'activeOnly'>): number {
  return Number(file.plainRows(countStatement(activeOnly), [])[0]?.[0])
}

function sizeOf({ body }: Representation | PageRepresentation): number {
  return body.length + ENTRY_BYTES
}
