import type { DirectReads, Rows } from '../../database/database.js'
import { PASSED_AT_A_TIME } from '../lists/deep-page.js'
import type { PageRequest } from '../persona.repository.js'
import { PersonaReads } from './persona.reads.js'
import { countStatement, NEXT_COLUMN, personaOf, POSTGRESQL_STATEMENTS } from './persona.statements.js'
import { type PageRepresentation, represent, representAll, type Representation } from './representation.js'

type RemoteReads = Extract<DirectReads, { kind: 'remote' }>

/** By prepared statements, from PostgreSQL. */
export class StatementReads extends PersonaReads {
  constructor(private readonly reads: RemoteReads) {
    super()
  }

  override async find(id: string): Promise<Representation | null> {
    const [row] = await this.reads.rows(POSTGRESQL_STATEMENTS.one, [id])
    return row ? represent(personaOf(row)) : null
  }

  override async findPage(page: PageRequest): Promise<PageRepresentation> {
    if (page.skip > PASSED_AT_A_TIME) return this.#findDeepPage(page)
    const rows = await this.#page(page)
    const [first] = rows
    const total = first ? Number(first[NEXT_COLUMN]) : await this.#total(page)
    return { body: representAll(rows.map(personaOf)), total }
  }

  // Beyond the end there is nothing, and to see that the server would pass over all that there is.
  async #findDeepPage(page: PageRequest): Promise<PageRepresentation> {
    const total = await this.#total(page)
    const rows = page.skip < total ? await this.#page(page) : []
    return { body: representAll(rows.map(personaOf)), total }
  }

  #page({ activeOnly, limit, skip }: PageRequest): Promise<Rows> {
    return this.reads.rows(POSTGRESQL_STATEMENTS.page(activeOnly), [limit, skip])
  }

  async #total({ activeOnly }: PageRequest): Promise<number> {
    const [[total] = []] = await this.reads.rows(countStatement(activeOnly), [])
    return Number(total)
  }
}
