import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Persona } from '../persona.js'
import type { PageRequest } from '../persona.repository.js'
import { personaOf } from '../reads/persona.statements.js'
import type { ListDialect } from './list-dialect.js'
import { columnOf, DEFAULT_SORT, type Position } from './list-request.js'
import { ListStatements, type Run } from './list.statements.js'

/** To pass over so many rows takes SQLite some milliseconds, in which nobody else has a turn. */
export const PASSED_AT_A_TIME = 25_000

const ANYTIME = { from: null, to: null }

/**
 * A page that many personas come before: these are passed over bit by bit. The page is none of one moment: who comes or goes
 * meanwhile may move it, as between two requests.
 */
export async function readDeepPage(
  { skip, limit, activeOnly }: PageRequest,
  dialect: ListDialect,
  run: Run,
): Promise<Persona[]> {
  const filters = { activeOnly, words: [], themes: [], created: ANYTIME, updated: ANYTIME }
  const request = { sort: DEFAULT_SORT, filters, limit, start: null, isBackwards: false, isCounted: false }
  const statements = new ListStatements(dialect, request)
  let after: Position | null = null
  for (let left = skip; left > 0; left -= PASSED_AT_A_TIME) {
    const [place] = await run(statements.milestone(after, Math.min(left, PASSED_AT_A_TIME)))
    if (!place) return []
    after = { key: dialect.keyOf(columnOf(DEFAULT_SORT), place[0]), id: place[1] as string }
    await nextTurn()
  }
  return (await run(statements.walk(after, null, limit))).map(personaOf)
}
