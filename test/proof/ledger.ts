import type BetterSqlite3 from 'better-sqlite3'
import { aPersona } from '../processes/a-persona.js'
import type { Answer, Connection } from '../processes/connection.js'
import { findDamage } from './oracles.js'

/** What a client knows of a write: a 2xx came, another answer came, or none that says what became of it. */
export type Fate = 'acknowledged' | 'refused' | 'unknown'

export interface Outcome {
  readonly fate: Fate
  /** The status of the answer; undefined when none came. */
  readonly answer: Answer | undefined
  /** When the answer came, on the clock of `performance.now()`. */
  readonly at: number
}

interface Creation {
  readonly fate: Fate
  readonly id: string | undefined
}

/** What the ledger must see of a persona. */
export interface LedgerRow {
  readonly id: string
  readonly name: string
  readonly generation_count: number
}

const GIVE_UP_MS = 20_000

/**
 * Every write that clients asked for, and what they were told, kept outside of the database: an entry becomes
 * "acknowledged" only after the 2xx has come. Judges the database by it.
 */
export class Ledger {
  readonly #creations = new Map<string, Creation>()
  readonly #counts = new Map<string, Record<Fate, number>>()

  /** Creates a persona with a name that no other has. */
  async create(connection: Connection, name: string, timeoutMs = GIVE_UP_MS): Promise<Outcome> {
    const options = { body: aPersona({ name }), timeoutMs }
    const outcome = await outcomeOf(connection.request('POST', '/api/v1/personas', options))
    this.noteCreation(name, outcome.fate, outcome.answer?.body.id)
    return outcome
  }

  /** Adds one to the generations of a persona. */
  async count(connection: Connection, id: string, timeoutMs = GIVE_UP_MS): Promise<Outcome> {
    const options = { body: { count: 1 }, timeoutMs }
    const outcome = await outcomeOf(connection.request('POST', `/api/v1/personas/${id}/generations`, options))
    this.noteCount(id, outcome.fate)
    return outcome
  }

  noteCreation(name: string, fate: Fate, id?: string): void {
    this.#creations.set(name, { fate, id: fate === 'acknowledged' ? id : undefined })
  }

  noteCount(id: string, fate: Fate): void {
    const counts = this.#counts.get(id) ?? { acknowledged: 0, refused: 0, unknown: 0 }
    counts[fate] += 1
    this.#counts.set(id, counts)
  }

  /** How many writes had this fate. */
  total(fate: Fate): number {
    const creations = [...this.#creations.values()].filter((creation) => creation.fate === fate).length
    return [...this.#counts.values()].reduce((sum, counts) => sum + counts[fate], creations)
  }

  /** Everything in a database that contradicts this ledger, or itself: nothing, when no write was lost. */
  judge(database: BetterSqlite3.Database): string[] {
    const rows = database.prepare<[], LedgerRow>('SELECT id, name, generation_count FROM personas NOT INDEXED').all()
    return [...this.judgeRows(rows), ...findDamage(database)]
  }

  /** Everything in the rows of a database, whichever it is, that contradicts this ledger. */
  judgeRows(rows: readonly LedgerRow[]): string[] {
    return [...this.#judgeCreations(rows), ...this.#judgeCounts(rows)]
  }

  #judgeCreations(rows: readonly LedgerRow[]): string[] {
    const rowsByName = new Map<string, LedgerRow[]>()
    for (const row of rows) rowsByName.set(row.name, [...(rowsByName.get(row.name) ?? []), row])
    const verdicts = [...this.#creations].map(([name, { fate, id }]) => {
      const made = rowsByName.get(name) ?? []
      if (made.length > 1) return `duplicated: ${name} was made ${made.length} times`
      if (fate === 'acknowledged' && made[0]?.id !== id) return `lost: ${name} (${id}) was acknowledged`
      if (fate === 'refused' && made.length > 0) return `made: ${name} was refused`
      return undefined
    })
    const strangers = [...rowsByName.keys()].filter((name) => !this.#creations.has(name))
    return [
      ...verdicts.filter((verdict) => verdict !== undefined),
      ...strangers.map((name) => `made: ${name} was never asked for`),
    ]
  }

  // One whose outcome is unknown may have been made or not: the count lies between the two.
  #judgeCounts(rows: readonly LedgerRow[]): string[] {
    return rows.flatMap(({ id, generation_count: actual }) => {
      const { acknowledged, unknown } = this.#counts.get(id) ?? { acknowledged: 0, unknown: 0 }
      if (actual < acknowledged) return [`lost: ${acknowledged} counts of ${id} were acknowledged, ${actual} are there`]
      if (actual <= acknowledged + unknown) return []
      return [`duplicated: ${actual} counts of ${id} are there, at most ${acknowledged + unknown} were made`]
    })
  }
}

// The service itself may not know: it says so, and the write may be there or not.
function isUnknown(answer: Answer): boolean {
  return String(answer.body['type']).endsWith(':write-outcome-unknown')
}

async function outcomeOf(request: Promise<Answer>): Promise<Outcome> {
  try {
    const answer = await request
    const isAcknowledged = answer.status >= 200 && answer.status < 300
    const at = performance.now()
    if (!isAcknowledged) return { fate: isUnknown(answer) ? 'unknown' : 'refused', answer, at }
    // A soak keeps hundreds of thousands of these: of a success only what is asked about it.
    const { id, version, generation_count } = answer.body
    return { fate: 'acknowledged', answer: { ...answer, headers: {}, body: { id, version, generation_count } }, at }
  } catch {
    return { fate: 'unknown', answer: undefined, at: performance.now() }
  }
}
