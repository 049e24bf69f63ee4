import { Injectable } from '@nestjs/common'
import { Database } from '../../database/database.js'
import type { PersonaRevisionModel, PersonaRevisionWhereInput } from '../../generated/sqlite/models.js'
import { clampedTime } from '../persona.row.js'
import type { Revision, RevisionWithState } from './revision.js'
import { type RevisionPageRequest, RevisionRepository } from './revision.repository.js'
import { readState, toRevision } from './revision.row.js'

const WITHOUT_STATE = { state: true, schema: true } as const
const NEWEST_FIRST = { seq: 'desc' } as const

/** The history in either database, through Prisma. */
@Injectable()
export class PrismaRevisionRepository extends RevisionRepository {
  constructor(private readonly database: Database) {
    super()
  }

  override async findPage(personaId: string, { limit, before }: RevisionPageRequest): Promise<Revision[]> {
    const where = { personaId, ...(before !== undefined && { seq: { lt: before } }) }
    const rows = await this.database.read((client) =>
      client.personaRevision.findMany({ where, omit: WITHOUT_STATE, orderBy: NEWEST_FIRST, take: limit }),
    )
    return rows.map(toRevision)
  }

  override async findVersion(personaId: string, version: number): Promise<RevisionWithState | null> {
    const row = await this.#last({ personaId, version, state: { not: null } })
    if (!row || row.state === null) return null
    return { ...toRevision(row), state: readState(row.schema, row.state) }
  }

  override async findAsOf(
    personaId: string,
    time: Date,
  ): Promise<RevisionWithState | (Revision & { readonly state: null }) | null> {
    const row = await this.#last({ personaId, at: { lte: clampedTime(time) } })
    if (!row) return null
    return { ...toRevision(row), state: row.state === null ? null : readState(row.schema, row.state) }
  }

  override async findOldest(personaId: string): Promise<Revision | null> {
    const row = await this.database.read((client) =>
      client.personaRevision.findFirst({ where: { personaId }, omit: WITHOUT_STATE, orderBy: { seq: 'asc' } }),
    )
    return row && toRevision(row)
  }

  // Found in the index alone: the walk may be long, and the states are large.
  #last(where: PersonaRevisionWhereInput): Promise<PersonaRevisionModel | null> {
    return this.database.read(async (client) => {
      const last = await client.personaRevision.findFirst({ where, select: { seq: true }, orderBy: NEWEST_FIRST })
      return last && client.personaRevision.findUnique({ where: last })
    })
  }
}
