import type { Database } from '../database/database.js'
import { DatabaseUnavailableError, StorageFullError, WriteOutcomeUnknownError } from '../database/database-errors.js'
import type { PersonaRow } from '../personas/persona.row.js'
import type { ConvertedRow } from './convert-row.js'

/** What became of a row. */
export type Outcome =
  | { readonly kind: 'imported' }
  | { readonly kind: 'already-there' }
  /** There is a persona with this id already, and these fields of it are others: it was left alone. */
  | { readonly kind: 'different'; readonly fields: readonly (keyof PersonaRow)[] }
  /** The database did not take the row; the message is its own. */
  | { readonly kind: 'refused'; readonly message: string }

const AWAY = [DatabaseUnavailableError, StorageFullError, WriteOutcomeUnknownError]
const IMPORTED: Outcome = { kind: 'imported' }

/** The personas of the database that is imported into. What is there is never changed. */
export class PersonaTarget {
  constructor(private readonly database: Database) {}

  /** What {@link add} would do, one outcome a row. */
  async compare(rows: readonly ConvertedRow[]): Promise<Outcome[]> {
    const ids = rows.map(({ persona }) => persona.id)
    const found = await this.database.read((client) => client.persona.findMany({ where: { id: { in: ids } } }))
    const existing = new Map(found.map((persona) => [persona.id, persona]))
    return rows.map((row) => outcomeOf(row, existing.get(row.persona.id)))
  }

  /**
   * Adds the rows that are not there yet, with one INSERT: all of them or, when it is interrupted, none. One row that
   * the database refuses is refused alone.
   * @param rows with ids that differ from each other
   * @throws DatabaseUnavailableError, StorageFullError
   */
  async add(rows: readonly ConvertedRow[]): Promise<Outcome[]> {
    const outcomes = await this.compare(rows)
    const added = rows.filter((_row, index) => outcomes[index] === IMPORTED)
    if (added.length === 0) return outcomes
    try {
      await this.#insert(added)
      return outcomes
    } catch (error) {
      if (isAway(error)) throw error
    }
    // One of them is refused, or somebody else has added it since: which one, each by itself tells.
    const again: Outcome[] = []
    for (const row of rows) again.push(await this.#addOne(row))
    return again
  }

  async #addOne(row: ConvertedRow): Promise<Outcome> {
    const before = await this.#compareOne(row)
    if (before.kind !== 'imported') return before
    try {
      await this.#insert([row])
      return before
    } catch (error) {
      if (isAway(error)) throw error
      const after = await this.#compareOne(row)
      return after.kind === 'imported' ? { kind: 'refused', message: messageOf(error) } : after
    }
  }

  async #compareOne(row: ConvertedRow): Promise<Outcome> {
    const [outcome = IMPORTED] = await this.compare([row])
    return outcome
  }

  async #insert(rows: readonly ConvertedRow[]): Promise<void> {
    await this.database.write((client) => client.persona.createMany({ data: rows.map(({ persona }) => persona) }))
  }
}

function outcomeOf({ persona, hasTimesOfImport }: ConvertedRow, existing: PersonaRow | undefined): Outcome {
  if (!existing) return IMPORTED
  const fields = (Object.keys(persona) as (keyof PersonaRow)[]).filter((field) => {
    if (hasTimesOfImport && (field === 'createdAt' || field === 'updatedAt')) return false
    return !isSame(persona[field], existing[field])
  })
  return fields.length === 0 ? { kind: 'already-there' } : { kind: 'different', fields }
}

function isSame(one: unknown, other: unknown): boolean {
  return one instanceof Date && other instanceof Date ? one.getTime() === other.getTime() : one === other
}

/** Whether the target cannot go on. What it did of the last batch, a next import finds out. */
export function isAway(error: unknown): error is Error {
  return AWAY.some((kind) => error instanceof kind)
}

// Prisma's messages are pages with the reason at the end.
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.trim().split('\n').at(-1) ?? message
}
