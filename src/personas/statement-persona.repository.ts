import type { Database, DatabaseAccess, DirectWrites } from '../database/database.js'
import { DIALECTS } from './lists/list-dialect.js'
import type { Statement } from './lists/list.statements.js'
import type { Persona, PersonaChanges } from './persona.js'
import { type PersonaRepository, type UpdateGuard } from './persona.repository.js'
import { PrismaPersonaRepository } from './prisma-persona.repository.js'
import { personaOf } from './reads/persona.statements.js'
import { UpdateStatements } from './update.statements.js'
import { type Writer, writeContextOf } from './writer.js'

/** The writes that are asked most, by statements that stay prepared; every other one through Prisma. */
export class StatementPersonaRepository extends PrismaPersonaRepository {
  readonly #statements: UpdateStatements

  constructor(
    database: DatabaseAccess,
    private readonly writes: DirectWrites,
  ) {
    super(database)
    this.#statements = new UpdateStatements(DIALECTS[writes.kind])
  }

  override updateIf(id: string, changes: PersonaChanges, guard: UpdateGuard, writer: Writer): Promise<Persona | null> {
    const stamp = { now: new Date(), context: writeContextOf(writer) }
    return this.#run(this.#statements.update(id, changes, guard, stamp))
  }

  override addGenerations(id: string, count: number, writer: Writer): Promise<Persona | null> {
    return this.#run(this.#statements.addGenerations(id, count, { context: writeContextOf(writer) }))
  }

  async #run({ sql, values }: Statement): Promise<Persona | null> {
    const [row] = await this.writes.rows(sql, values)
    return row ? personaOf(row) : null
  }
}

/** The fastest way to write personas that this database has. */
export function openPersonaRepository(database: Database): PersonaRepository {
  const { directWrites } = database
  return directWrites ? new StatementPersonaRepository(database, directWrites) : new PrismaPersonaRepository(database)
}
