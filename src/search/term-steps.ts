import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Searchable, termsOf } from '../personas/search-terms.js'
import type { Looked, Pair, QueuedRow, Step, TermStore, TextsRow } from './term-store.js'

/** So many characters, about, are folded in some milliseconds. */
const CHARACTERS_AT_A_TIME = 65_536

/** What bounds a step. */
export interface StepLimits {
  /** So many entries are looked at together. */
  readonly entries: number
  /** And about so much text, in bytes; a longer one alone. */
  readonly bytes: number
  /** So many terms are written in one transaction: on SQLite it holds the write lock for some milliseconds. */
  readonly terms: number
}

/** Reads what is to be done for the oldest entries of the queue; nothing when it is empty. Nobody waits meanwhile. */
export async function nextSteps(store: TermStore, limits: StepLimits): Promise<Step[]> {
  const rows = within(await store.queued(limits.entries), limits.bytes)
  const seqs = rows.map(([seq]) => seq)
  const ids = [...new Set(rows.map(([, id]) => id))]
  if (ids.length === 0) return []
  const counts = new Map((await store.entries(ids, seqs)).map(([id, all]) => [id, Number(all)]))
  const looked = ids.map((id) => ({
    id,
    seqs: rows.filter((row) => row[1] === id).map(([seq]) => seq),
    entries: counts.get(id) ?? 0,
  }))
  const texts = await store.texts(ids)
  const wanted = new Map<string, readonly string[]>()
  for (const row of texts) wanted.set(row[0], await termsOfRow(row))
  return stepsOf(looked, wanted, await store.terms(ids), limits.terms)
}

/** As many of the oldest entries as have so much text together, and the first in any case. */
function within(rows: readonly QueuedRow[], most: number): readonly QueuedRow[] {
  const bytesOf = new Map<string, number>()
  const end = rows.findIndex(([, id, bytes]) => {
    bytesOf.set(id, Number(bytes))
    return bytesOf.size > 1 && [...bytesOf.values()].reduce((sum, one) => sum + one) > most
  })
  return end < 0 ? rows : rows.slice(0, end)
}

// Most of a text stays when it is edited: it is not written again.
function stepsOf(
  looked: readonly Looked[],
  wanted: ReadonlyMap<string, readonly string[]>,
  known: ReadonlyMap<string, readonly string[]>,
  most: number,
): Step[] {
  const missingIn = (other: ReadonlyMap<string, readonly string[]>, id: string, terms: readonly string[]): Pair[] => {
    const there = new Set(other.get(id))
    return terms.filter((term) => !there.has(term)).map((term) => [id, term])
  }
  const gone = [...known].flatMap(([id, terms]) => missingIn(wanted, id, terms))
  const added = [...wanted].flatMap(([id, terms]) => missingIn(known, id, terms))
  if (gone.length + added.length <= most) return [{ looked, gone, added, isOnly: true, isLast: true }]
  const parts = [
    ...chunksOf(gone, most).map((chunk) => ({ gone: chunk, added: [] })),
    ...chunksOf(added, most).map((chunk) => ({ gone: [], added: chunk })),
  ]
  return parts.map((part, n) => ({ looked, ...part, isOnly: false, isLast: n === parts.length - 1 }))
}

function chunksOf(pairs: readonly Pair[], size: number): Pair[][] {
  return Array.from({ length: Math.ceil(pairs.length / size) }, (_chunk, n) => pairs.slice(n * size, (n + 1) * size))
}

// There may be any number of themes: bit by bit, since the process may serve requests as well.
async function termsOfRow([, name, appearance, personality, themes]: TextsRow): Promise<string[]> {
  const contentThemes = JSON.parse(themes) as Searchable['contentThemes']
  const terms = new Set(termsOf({ name, appearance, personality, contentThemes: [] }))
  let some: string[] = []
  let characters = 0
  for (const [n, theme] of contentThemes.entries()) {
    some.push(theme)
    // Written past the service, they may be anything that JSON is.
    characters += String(theme).length + 1
    if (characters < CHARACTERS_AT_A_TIME && n < contentThemes.length - 1) continue
    for (const term of termsOf({ name: '', appearance: '', personality: '', contentThemes: some })) terms.add(term)
    some = []
    characters = 0
    await nextTurn()
  }
  return [...terms]
}
