import { Inject, Injectable } from '@nestjs/common'
import { Database, type DatabaseAccess, type DatabaseClient } from '../database/database.js'
import type { PersonaRevisionWhereInput, PersonaWhereInput } from '../generated/sqlite/models.js'
import { MAX_GENERATION_COUNT, type Persona, PERSONA_FIELDS, type PersonaChanges } from './persona.js'
import { WIRE_NAMES } from './persona.mapper.js'
import { type PageRequest, PersonaRepository, type PersonaToInsert, type UpdateGuard } from './persona.repository.js'
import { toColumns, toPersona } from './persona.row.js'
import { readState } from './revisions/revision.row.js'
import type { Since } from './stale-edit.js'
import { type Writer, writeContextOf } from './writer.js'

/** Personas in either database, through Prisma. */
@Injectable()
export class PrismaPersonaRepository extends PersonaRepository {
  constructor(@Inject(Database) private readonly database: DatabaseAccess) {
    super()
  }

  override async insert(persona: PersonaToInsert, writer: Writer): Promise<Persona> {
    const { id, createdAt, ...fields } = persona
    const data = { ...toColumns(fields), id, createdAt, updatedAt: createdAt, writeContext: writeContextOf(writer) }
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

  override async count(activeOnly: boolean): Promise<number> {
    const { _sum: sums } = await this.database.read((client) =>
      client.personaCount.aggregate({ _sum: { total: true, active: true } }),
    )
    return (activeOnly ? sums.active : sums.total) ?? 0
  }

  override async updateIf(
    id: string,
    changes: PersonaChanges,
    guard: UpdateGuard,
    writer: Writer,
  ): Promise<Persona | null> {
    const data = updateOf(changes, writer)
    const [row] = await this.database.write((client) =>
      client.persona.updateManyAndReturn({ where: { id, ...guardWhere(guard) }, data }),
    )
    return row ? toPersona(row) : null
  }

  override updateWith(
    id: string,
    baseVersion: number | undefined,
    change: (current: Persona, since: Since | null) => PersonaChanges,
    writer: Writer,
  ): Promise<Persona | null> {
    return this.database.transaction(async (client) => {
      // Taking the row's lock, so that what it returns stays true until the end; to the history it is no change.
      const [row] = await client.persona.updateManyAndReturn({ where: { id }, data: { writeContext: null } })
      if (!row) return null
      const current = toPersona(row)
      const since = baseVersion === undefined ? null : await sinceVersion(client, id, baseVersion)
      const changes = change(current, since)
      if (Object.keys(changes).length === 0) return current
      return toPersona(await client.persona.update({ where: { id }, data: updateOf(changes, writer) }))
    })
  }

  override async addGenerations(id: string, count: number, writer: Writer): Promise<Persona | null> {
    const [row] = await this.database.write((client) =>
      client.persona.updateManyAndReturn({
        where: { id, generationCount: { lte: MAX_GENERATION_COUNT - count } },
        data: { generationCount: { increment: count }, writeContext: writeContextOf(writer) },
      }),
    )
    return row ? toPersona(row) : null
  }
}

function updateOf(changes: PersonaChanges, writer: Writer) {
  const writeContext = writeContextOf(writer)
  return { ...toColumns(changes), version: { increment: 1 }, updatedAt: new Date(), writeContext }
}

/** Nobody else can write while the changes since a version are looked at: so many take about 10 ms. */
const LONGEST_WAY = 5_000

/** What is known since a version, be it that the revision which made it is gone, and a count of generations is the first. */
async function sinceVersion(client: DatabaseClient, personaId: string, version: number): Promise<Since | null> {
  const tooFar = await client.personaRevision.findFirst({
    where: { personaId },
    orderBy: { seq: 'desc' },
    skip: LONGEST_WAY + 1,
    select: { seq: true },
  })
  const first = await client.personaRevision.findFirst({
    where: { personaId, version, state: { not: null }, ...(tooFar && { seq: { gte: tooFar.seq } }) },
    orderBy: { seq: 'asc' },
  })
  if (!first || first.state === null || first.seq === tooFar?.seq) return null
  const later = { personaId, seq: { gt: first.seq } }
  return {
    base: readState(first.schema, first.state),
    unsure: await fieldsChangedIn(client, { ...later, version }),
    changed: await fieldsChangedIn(client, later),
  }
}

async function fieldsChangedIn(client: DatabaseClient, where: PersonaRevisionWhereInput): Promise<Since['changed']> {
  const lists = await client.personaRevision.groupBy({ by: ['changed'], where })
  const names = new Set(lists.flatMap(({ changed }) => JSON.parse(changed) as string[]))
  return new Set(PERSONA_FIELDS.filter((field) => names.has(WIRE_NAMES[field])))
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
