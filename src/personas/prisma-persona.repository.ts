import { Inject, Injectable } from '@nestjs/common'
import { Database, type DatabaseAccess } from '../database/database.js'
import type { PersonaWhereInput } from '../generated/sqlite/models.js'
import { MAX_GENERATION_COUNT, type Persona, type PersonaChanges } from './persona.js'
import { type PageRequest, PersonaRepository, type PersonaToInsert, type UpdateGuard } from './persona.repository.js'
import { toColumns, toPersona } from './persona.row.js'

/** Personas in either database, through Prisma. */
@Injectable()
export class PrismaPersonaRepository extends PersonaRepository {
  constructor(@Inject(Database) private readonly database: DatabaseAccess) {
    super()
  }

  override async insert(persona: PersonaToInsert): Promise<Persona> {
    const { id, createdAt, ...fields } = persona
    const data = { ...toColumns(fields), id, createdAt, updatedAt: createdAt }
    return toPersona(await this.database.write((client) => client.persona.create({ data })))
  }

  override async findById(id: string): Promise<Persona | null> {
    const row = await this.database.read((client) => client.persona.findUnique({ where: { id } }))
    return row && toPersona(row)
  }

  override async findPage({ skip, limit, activeOnly }: PageRequest): Promise<Persona[]> {
    const rows = await this.database.read((client) =>
      client.persona.findMany({
        where: activeOnly ? { isActive: true } : {},
        orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
        skip,
        take: limit,
      }),
    )
    return rows.map(toPersona)
  }

  override count(activeOnly: boolean): Promise<number> {
    return this.database.read((client) => client.persona.count({ where: activeOnly ? { isActive: true } : {} }))
  }

  override async updateIf(id: string, changes: PersonaChanges, guard: UpdateGuard): Promise<Persona | null> {
    const data = { ...toColumns(changes), version: { increment: 1 }, updatedAt: new Date() }
    const [row] = await this.database.write((client) =>
      client.persona.updateManyAndReturn({ where: { id, ...guardWhere(guard) }, data }),
    )
    return row ? toPersona(row) : null
  }

  override updateWith(
    id: string,
    versions: readonly number[] | undefined,
    change: (current: Persona) => PersonaChanges,
  ): Promise<Persona | null> {
    return this.database.transaction(async (client) => {
      // The version is counted first: this takes the row's lock, so what it returns stays true until the end.
      const [current] = await client.persona.updateManyAndReturn({
        where: { id, ...guardWhere({ ...(versions && { versions }) }) },
        data: { version: { increment: 1 } },
      })
      if (!current) return null
      const changes = change(toPersona({ ...current, version: current.version - 1 }))
      const data = { ...toColumns(changes), updatedAt: new Date() }
      return toPersona(await client.persona.update({ where: { id }, data }))
    })
  }

  override async addGenerations(id: string, count: number): Promise<Persona | null> {
    const [row] = await this.database.write((client) =>
      client.persona.updateManyAndReturn({
        where: { id, generationCount: { lte: MAX_GENERATION_COUNT - count } },
        data: { generationCount: { increment: count } },
      }),
    )
    return row ? toPersona(row) : null
  }
}

function guardWhere(guard: UpdateGuard): PersonaWhereInput {
  const { versions, defaultRatingIn, allowedRatingsInclude, isActive } = guard
  return {
    ...(versions && { version: { in: [...versions] } }),
    ...(isActive && { isActive }),
    ...(defaultRatingIn && { defaultContentRating: { in: [...defaultRatingIn] } }),
    // The ratings are stored as JSON text, each in quotes, so the quoted word occurs if and only if it is an item.
    ...(allowedRatingsInclude && { allowedContentRatings: { contains: JSON.stringify(allowedRatingsInclude) } }),
  }
}
