/** An entry of the queue: its number, whose it is, and how many bytes the texts of that persona have now. */
export type QueuedRow = readonly [seq: string | number, personaId: string, bytes: string | number]

/** The texts of a persona as they are now. */
export type TextsRow = readonly [
  personaId: string,
  name: string,
  appearance: string,
  personality: string,
  contentThemes: string,
]

/** How many entries the queue has of a persona, and how many of them are among those that are asked about. */
export type EntriesRow = readonly [personaId: string, all: string | number, given: string | number]

export type Pair = readonly [personaId: string, term: string]

/** A persona whose entries have been looked at. */
export interface Looked {
  readonly id: string
  /** The entries that were seen before its texts were read. */
  readonly seqs: readonly (string | number)[]
  /** How many the queue had of it in all. */
  readonly entries: number
}

/** What one transaction changes of the index: all that is to be changed for some personas, or a part of it. */
export interface Step {
  readonly looked: readonly Looked[]
  /** Terms that the index has and should not have, and those that it lacks. */
  readonly gone: readonly Pair[]
  readonly added: readonly Pair[]
  /** Whether nothing comes before or after it. */
  readonly isOnly: boolean
  /** Whether nothing comes after it: then the entries leave the queue. */
  readonly isLast: boolean
}

/**
 * What has become of a step: `void` when it was true of nobody any more, nor will be those that come after it; `busy` when
 * somebody else is at it.
 */
export type Outcome = 'applied' | 'void' | 'busy'

/** The index of terms as the indexer sees it. Whoever opens one closes it. */
export interface TermStore {
  /** The oldest entries, so many at most. */
  queued(limit: number): Promise<readonly QueuedRow[]>
  entries(ids: readonly string[], seqs: readonly (string | number)[]): Promise<readonly EntriesRow[]>
  /** No row of a persona that is gone. */
  texts(ids: readonly string[]): Promise<readonly TextsRow[]>
  /** The terms that the index has of each of these personas. */
  terms(ids: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>
  /** Takes a step, for those personas for which {@link isStillTrue} holds: all of it or nothing. */
  apply(step: Step): Promise<Outcome>
  close(): Promise<void>
}

/** Takes how many at most. */
export function queuedSql(limitPlaceholder: string): string {
  const bytes = ['name', 'appearance', 'personality', 'content_themes'].map((column) => `octet_length(p.${column})`)
  return `
    SELECT q.seq, q.persona_id, coalesce(${bytes.join(' + ')}, 0)
    FROM (SELECT seq, persona_id FROM personas_unindexed ORDER BY seq LIMIT ${limitPlaceholder}) AS q
    LEFT JOIN personas AS p ON p.id = q.persona_id ORDER BY q.seq`
}

/**
 * Whether what was read of a persona is what is to be indexed: its entries are still there, so that nobody else has indexed
 * it since. What has changed since has an entry of its own, and is looked at again; but of several steps each must build on
 * the one before, and not on what somebody else has made of the newer texts in between.
 */
export function isStillTrue({ seqs, entries }: Looked, { isOnly }: Step, row: EntriesRow | undefined): boolean {
  const [, all, given] = row ?? []
  return Number(given) === seqs.length && (isOnly || Number(all) === entries)
}

/** What is left to do of a step, given the entries that there are now. */
export interface Part extends Omit<Step, 'isOnly' | 'isLast'> {
  /** The entries that leave the queue with it. */
  readonly done: readonly (string | number)[]
}

/**
 * The part of a step that concerns personas of which what was read is still true. The entries of one that has changed since
 * leave the queue too: it has a newer one, at its own place, and else would be the first in the queue for as long as it
 * changes.
 */
export function partOf(step: Step, rows: readonly EntriesRow[]): Part {
  const byId = new Map(rows.map((row) => [row[0], row]))
  const looked = step.looked.filter((one) => isStillTrue(one, step, byId.get(one.id)))
  const overtaken = step.looked.filter((one) => !looked.includes(one) && isOvertaken(one, byId.get(one.id)))
  const ids = new Set(looked.map(({ id }) => id))
  const concerns = ([id]: Pair) => ids.has(id)
  const done = [...(step.isLast ? looked : []), ...overtaken].flatMap(({ seqs }) => seqs)
  return { looked, gone: step.gone.filter(concerns), added: step.added.filter(concerns), done }
}

function isOvertaken({ seqs, entries }: Looked, [, all, given]: EntriesRow | readonly [] = []): boolean {
  return Number(given) === seqs.length && Number(all) > entries
}

export function outcomeOf({ looked }: Part): Outcome {
  return looked.length > 0 ? 'applied' : 'void'
}
