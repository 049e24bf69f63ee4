import { type Searchable, termsOf } from '../personas/search-terms.js'

/** An entry of the queue, with the texts of the persona as they are now; they are null when it is not there any more. */
export type QueuedRow = readonly [
  seq: string | number,
  personaId: string,
  name: string | null,
  appearance: string | null,
  personality: string | null,
  contentThemes: string | null,
]

/** The index of terms as the indexer sees it. Whoever opens one closes it. */
export interface TermStore {
  /**
   * Makes the terms of the personas of the oldest entries what their texts say now, and takes the entries from the queue:
   * all of that or nothing.
   * @param limit how many entries at most
   * @returns how many there were; 0 also when somebody else is at it
   */
  index(limit: number): Promise<number>
  close(): Promise<void>
}

/** Takes the queue's oldest entries. */
export function queuedSql(limitPlaceholder: string): string {
  return `
    SELECT q.seq, q.persona_id, p.name, p.appearance, p.personality, p.content_themes
    FROM (SELECT seq, persona_id FROM personas_unindexed ORDER BY seq LIMIT ${limitPlaceholder}) AS q
    LEFT JOIN personas AS p ON p.id = q.persona_id`
}

/** Terms that the index has and should not have, and those that it lacks: id and term. */
export interface Difference {
  readonly gone: readonly Pair[]
  readonly added: readonly Pair[]
}

type Pair = readonly [personaId: string, term: string]

/**
 * What is to be changed of the index. Most of a text stays when it is edited: it is not written again.
 * @param known the terms that the index has of these personas
 */
export function differenceOf(rows: readonly QueuedRow[], known: ReadonlyMap<string, readonly string[]>): Difference {
  const wanted = new Map(rows.map((row) => [row[1], termsOfRow(row)]))
  const missingIn = (other: ReadonlyMap<string, readonly string[]>, id: string, terms: readonly string[]): Pair[] => {
    const there = new Set(other.get(id))
    return terms.filter((term) => !there.has(term)).map((term) => [id, term])
  }
  return {
    gone: [...known].flatMap(([id, terms]) => missingIn(wanted, id, terms)),
    added: [...wanted].flatMap(([id, terms]) => missingIn(known, id, terms)),
  }
}

/** None of a persona that is gone. */
function termsOfRow([, , name, appearance, personality, themes]: QueuedRow): string[] {
  if (name === null || appearance === null || personality === null || themes === null) return []
  const contentThemes = JSON.parse(themes) as Searchable['contentThemes']
  return termsOf({ name, appearance, personality, contentThemes })
}
