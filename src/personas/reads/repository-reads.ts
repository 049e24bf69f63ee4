import type { PageRequest, PersonaRepository } from '../persona.repository.js'
import { PersonaReads } from './persona.reads.js'
import { type PageRepresentation, represent, representAll, type Representation } from './representation.js'

/** Through Prisma: what every other way of reading is held against. */
export class RepositoryReads extends PersonaReads {
  constructor(private readonly repository: PersonaRepository) {
    super()
  }

  override async find(id: string): Promise<Representation | null> {
    const persona = await this.repository.findById(id)
    return persona && represent(persona)
  }

  override async findPage(page: PageRequest): Promise<PageRepresentation> {
    const [personas, total] = await Promise.all([
      this.repository.findPage(page),
      this.repository.count(page.activeOnly),
    ])
    return { body: representAll(personas), total }
  }
}
