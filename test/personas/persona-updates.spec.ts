import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Database, DatabaseAccess } from '../../src/database/database.js'
import { CONTENT_RATINGS, type Persona, PERSONA_FIELDS, type PersonaChanges } from '../../src/personas/persona.js'
import type { PersonaRepository, UpdateGuard } from '../../src/personas/persona.repository.js'
import { PrismaPersonaRepository } from '../../src/personas/prisma-persona.repository.js'
import { openPersonaRepository, StatementPersonaRepository } from '../../src/personas/statement-persona.repository.js'
import type { Writer } from '../../src/personas/writer.js'
import { scale, seed } from '../proof/scale.js'
import { onEachDatabase, databases, type Row, type TestDatabase } from '../support/databases.js'
import { aPersona, generatedFields } from './personas.js'

const version = fc.integer({ min: 1, max: 3 })
const guard: fc.Arbitrary<UpdateGuard> = fc.record(
  {
    versions: fc.array(version, { maxLength: 3 }),
    defaultRatingIn: fc.subarray([...CONTENT_RATINGS]),
    allowedRatingsInclude: fc.constantFrom(...CONTENT_RATINGS),
    isActive: fc.constant(true as const),
  },
  { requiredKeys: [] },
)
const changes: fc.Arbitrary<PersonaChanges> = fc
  .tuple(generatedFields, fc.subarray([...PERSONA_FIELDS]))
  .map(([fields, names]) => Object.fromEntries(names.map((name) => [name, fields[name]])))
const writer: fc.Arbitrary<Writer> = fc.record({
  actor: fc.option(fc.string({ unit: 'binary', maxLength: 9 }).filter((text) => !text.includes('\0'))),
  requestId: fc.option(fc.uuid()),
  worker: fc.option(fc.nat(9)),
})
type Step = { readonly update: PersonaChanges; readonly guard: UpdateGuard } | { readonly count: number }
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ update: changes, guard }) },
  { weight: 1, arbitrary: fc.record({ count: fc.constantFrom(1, 7, 2_147_483_640) }) },
)

// Two personas that begin alike are written to alike, one through Prisma and one past it: what is stored of them is the
// same, value for value, and so is what is answered.
onEachDatabase((kind) => {
  describe('writes past Prisma', () => {
    let database: TestDatabase
    let connection: Database
    let prismas: PersonaRepository
    let past: PersonaRepository

    beforeAll(async () => {
      database = await databases[kind]()
      connection = await database.connect()
      prismas = new PrismaPersonaRepository(connection)
      past = openPersonaRepository(connection)
    })
    afterAll(async () => {
      await connection.close()
      await database.remove()
    })

    it('are used', async () => {
      expect(past).toBeInstanceOf(StatementPersonaRepository)
      const { id } = await prismas.insert(aPersona(), ANYBODY)
      const refuse = () => Promise.reject(new Error('through Prisma'))
      const nothing: DatabaseAccess = { read: refuse, write: refuse, transaction: refuse }
      const { directWrites } = connection
      if (!directWrites) throw new Error('there are none')
      const alone = new StatementPersonaRepository(nothing, directWrites)
      expect(await alone.updateIf(id, { name: 'Past' }, {}, ANYBODY)).toMatchObject({ name: 'Past', version: 2 })
      expect(await alone.addGenerations(id, 3, ANYBODY)).toMatchObject({ generationCount: 3 })
    })

    it(
      `store and answer what Prisma's do`,
      async () => {
        const steps = fc.array(fc.tuple(step, writer), { minLength: 1, maxLength: 5 })
        await fc.assert(
          fc.asyncProperty(generatedFields, steps, async (fields, taken) => {
            const one = await prismas.insert(aPersona(fields), ANYBODY)
            const other = await prismas.insert(aPersona(fields), ANYBODY)
            for (const [next, by] of taken) {
              const expected = await take(prismas, one.id, next, by)
              const answered = await take(past, other.id, next, by)
              expect(comparable(answered)).toEqual(comparable(expected))
              if (answered) expect(await prismas.findById(other.id)).toEqual(answered)
            }
            expect(await storedOf(other.id)).toEqual(await storedOf(one.id))
          }),
          { seed, numRuns: scale.generatedRuns },
        )
      },
      scale.testTimeoutMs,
    )

    /** All that is stored of a persona and its history, each value as the database would write it, but for what is its own. */
    async function storedOf(id: string): Promise<Row[]> {
      const rows = await Promise.all([
        columnsOf('personas', `id = '${id}'`),
        columnsOf('persona_revisions', `persona_id = '${id}' ORDER BY seq`),
      ])
      return rows.flat()
    }

    async function columnsOf(table: string, where: string): Promise<Row[]> {
      const plain = await database.query(`SELECT * FROM ${table} WHERE ${where}`)
      const names = Object.keys(plain[0] ?? {})
      const literal = (name: string) => (kind === 'SQLite' ? `quote(${name})` : `quote_nullable(${name})`)
      const select = names.map((name) => `${literal(name)} AS ${name}`).join(', ')
      const rows = await database.query(`SELECT ${select} FROM ${table} WHERE ${where}`)
      return rows.map((row) =>
        Object.fromEntries(Object.entries(row).map(([name, value]) => [name, alike(name, value)])),
      )
    }
  })
})

const ANYBODY: Writer = { actor: 'anybody', requestId: null, worker: 1 }
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g
const OWN_COLUMNS = new Set(['id', 'persona_id', 'write_context', 'state'])

// Of times and ids, which are each one's own, the form is compared.
function alike(name: string, value: unknown): unknown {
  if (name === 'seq') return 'a number of its own'
  const text = String(value)
  const formed = OWN_COLUMNS.has(name) ? text.replaceAll(UUID, 'an id') : text
  if (name === 'created_at') return formed
  return ['at', 'updated_at', 'state'].includes(name)
    ? formed.replaceAll(/20\d\d-\d\d-\d\d([T ])\d\d:\d\d:\d\d(\.\d+)?/g, formOf)
    : formed
}

// PostgreSQL leaves out the zeros at the end.
function formOf(_time: string, between: string, fraction = ''): string {
  return `a time with ${between} and ${fraction.length > 4 ? 'microseconds' : 'milliseconds'}`
}

function take(repository: PersonaRepository, id: string, next: Step, by: Writer): Promise<Persona | null> {
  if ('count' in next) return repository.addGenerations(id, next.count, by)
  return repository.updateIf(id, next.update, next.guard, by)
}

function comparable(persona: Persona | null) {
  return persona && { ...persona, id: 'its own', updatedAt: 'its own' }
}
