import type { DirectReads } from '../../database/database.js'
import type { Persona } from '../persona.js'
import type { PageRequest } from '../persona.repository.js'
import { PersonaReads } from './persona.reads.js'
import { countStatement, personaOf, POSTGRESQL_STATEMENTS } from './persona.statements.js'
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
    if (page.skip === 0) {
      const [personas, total] = await Promise.all([this.#page(page), this.#total(page)])
      return { body: representAll(personas), total }
    }
    const total = await this.#total(page)
    // Beyond the end there is nothing, and to see that the server would pass over all that there is.
    return { body: representAll(page.skip < total ? await this.#page(page) : []), total }
  }

  async #page({ activeOnly, limit, skip }: PageRequest): Promise<Persona[]> {
    return (await this.reads.rows(POSTGRESQL_STATEMENTS.page(activeOnly), [limit, skip])).map(personaOf)
  }

  async #total({ activeOnly }: PageRequest): Promise<number> {
    const [[total] = []] = await this.reads.rows(countStatement(activeOnly), [])
    return Number(total)
  }
}
