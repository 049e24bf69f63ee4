import { countStatement } from '../reads/persona.statements.js'
import { candidatesOf } from './list-candidates.js'
import type { ListDialect } from './list-dialect.js'
import type { ListFilters, ListLimits, ListRequest, ListTotal, Position } from './list-request.js'
import { ListStatements, type Run, type Statement } from './list.statements.js'

/** Counts a list, but for what is asked of words and themes: the same whatever page is asked for, in whatever order. */
export async function countList(
  request: ListRequest,
  dialect: ListDialect,
  run: Run,
  limits: ListLimits,
): Promise<ListTotal> {
  const { filters } = request
  const numberOf = async (statement: Statement) => Number((await run(statement))[0]?.[0])
  if (isUnfiltered(filters)) {
    return { count: await numberOf({ sql: countStatement(filters.activeOnly), values: [] }), isExact: true }
  }
  const sort = isAnytime(filters.updated) ? 'created_at' : 'updated_at'
  const statements = new ListStatements(dialect, { ...request, sort, isBackwards: false })
  const ids = statements.isSelective ? await candidatesOf(filters, statements, run, limits.candidates) : null
  if (ids) return { count: await numberOf(statements.countOf(ids)), isExact: true }
  let count = 0
  let from: Position | null = null
  for (let visited = 0; visited < limits.counted; visited += limits.stride) {
    const [end] = await run(statements.milestone(from, limits.stride))
    const upTo: Position | null = end ? { key: dialect.keyOf(sort, end[0]), id: end[1] as string } : null
    count += await numberOf(statements.countBetween(from, upTo))
    if (!upTo) return { count, isExact: true }
    from = upTo
  }
  return { count, isExact: false }
}

/** Whether a list has everyone who is there, or everyone who is active. */
function isUnfiltered({ words, themes, created, updated, ...values }: ListFilters): boolean {
  const isAnyone = Object.keys(values).every((name) => name === 'activeOnly') && words.length + themes.length === 0
  return isAnyone && isAnytime(created) && isAnytime(updated)
}

function isAnytime({ from, to }: ListFilters['created']): boolean {
  return !from && !to
}
