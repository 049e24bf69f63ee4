import type { DirectReads } from '../../database/database.js'
import type { PageRequest } from '../persona.repository.js'
import { PersonaReads } from './persona.reads.js'
import { personaOf, POSTGRESQL_STATEMENTS } from './persona.statements.js'
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

  override async findPage({ activeOnly, limit, skip }: PageRequest): Promise<PageRepresentation> {
    const [rows, [[total] = []]] = await Promise.all([
      this.reads.rows(POSTGRESQL_STATEMENTS.page(activeOnly), [limit, skip]),
      this.reads.rows(POSTGRESQL_STATEMENTS.count(activeOnly), []),
    ])
    return { body: representAll(rows.map(personaOf)), total: Number(total) }
  }
}
