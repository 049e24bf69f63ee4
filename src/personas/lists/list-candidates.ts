import type { ListFilters } from './list-request.js'
import type { ListStatements, Run, Statement } from './list.statements.js'

/** To look at so many costs less than to find out who of them has something else in common as well. */
const FEW = 100
/** So many are one statement: ten words of each are looked up by it, and SQLite keeps everybody else waiting while it runs. */
const TESTED_AT_A_TIME = 200

/**
 * All personas that a list may have, where its filters leave few.
 * @param most how many may have one thing in common that is asked for
 * @returns null when more have each of them
 */
export async function candidatesOf(
  { words, themes }: ListFilters,
  statements: ListStatements,
  run: Run,
  most: number,
): Promise<readonly string[] | null> {
  const searches = words.length + themes.length
  // Before the index: what leaves the queue meanwhile is in the index by then.
  const unindexed = searches > 0 ? await idsOf([statements.unindexed(most + 1)], run, most) : []
  let candidates: string[] | null = null
  /** The terms that many have. */
  const common: number[] = []
  for (const [index, probe] of statements.probes(most + 1).entries()) {
    const isSearch = index < searches
    const ids = isSearch && !unindexed ? null : await idsOf(probe, run, most)
    if (ids) {
      const having = new Set(isSearch ? [...ids, ...(unindexed ?? [])] : ids)
      candidates = candidates ? candidates.filter((id) => having.has(id)) : [...having]
      if (candidates.length <= FEW) return candidates
    } else if (isSearch) {
      common.push(index)
    }
  }
  return candidates && common.length > 0 ? havingTerms(common, candidates, statements, run) : candidates
}

/** Those who have these terms as well, or may have them. */
async function havingTerms(
  terms: readonly number[],
  ids: readonly string[],
  statements: ListStatements,
  run: Run,
): Promise<string[]> {
  const having: string[] = []
  for (let n = 0; n < ids.length; n += TESTED_AT_A_TIME) {
    const rows = await run(statements.havingTerms(ids.slice(n, n + TESTED_AT_A_TIME), terms))
    having.push(...rows.map(([id]) => id as string))
  }
  return having
}

/** The ids that statements answer, each once; null when there are too many. */
async function idsOf(statements: readonly Statement[], run: Run, most: number): Promise<string[] | null> {
  const ids = new Set<string>()
  for (const statement of statements) {
    const rows = await run(statement)
    for (const [id] of rows) ids.add(id as string)
    if (rows.length > most || ids.size > most) return null
  }
  return [...ids]
}
