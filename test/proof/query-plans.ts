import { LIST_LIMITS } from '../../src/personas/lists/list-request.js'

/** What PostgreSQL says of a node of a plan that was carried out. */
export interface PlanNode {
  readonly 'Node Type': string
  readonly 'Index Name'?: string
  readonly 'Actual Rows': number
  readonly Plans?: readonly PlanNode[]
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Shared Hit Blocks': number
  readonly 'Shared Read Blocks': number
}

/** A plan, whichever database made it. */
export interface Plan {
  readonly indexes: readonly string[]
  /** Tables that are read from one end to the other, and sorts. */
  readonly detours: readonly string[]
  /** Rows that the scans have looked at, and pages of the database: PostgreSQL says so. */
  readonly rows: number
  readonly blocks: number
  /** How long the statement took, at its quickest: SQLite says nothing of rows, so it is held against a scan of all personas. */
  readonly ms: number
}

/** Of SQLite's lines: `SEARCH p USING INDEX …`, `SCAN p`, `USE TEMP B-TREE FOR ORDER BY`. */
export function sqlitePlan(sql: string, rows: readonly (readonly unknown[])[], ms: number): Plan {
  const all = rows.map((row) => String(row[3]))
  const lines = all.filter((line) => !/^(?:COMPOUND|LEFT-MOST|UNION ALL|CO-ROUTINE|SCAN \(subquery)/.test(line))
  const isFree = (line: string) => /^(?:SEARCH|SCALAR|CORRELATED|LIST SUBQUERY|MULTI-INDEX)/.test(line)
  // From the beginning on an index is walked as long as it takes; from a place in it on, that must be looked up.
  const isRange = / id\)? [<>]/.test(sql)
  const detours = lines.filter(
    (line) =>
      !isFree(line) &&
      ((isRange && /^SCAN p /.test(line)) || !/ USING .*INDEX |json_each|^CREATE BLOOM FILTER/.test(line)),
  )
  return {
    indexes: lines.flatMap((line) => /USING (?:COVERING )?INDEX (personas?_\w+_idx)/.exec(line)?.[1] ?? []),
    detours: detours.map((line) => (line === 'USE TEMP B-TREE FOR ORDER BY' ? 'Sort' : line)),
    rows: 0,
    blocks: 0,
    ms,
  }
}

export function postgresqlPlan([{ Plan: root }]: [{ Plan: PlanNode }]): Plan {
  const nodes = [...nodesBelow(root)]
  const scans = nodes.filter((node) => node['Node Type'].includes('Scan'))
  const visited = (node: PlanNode) =>
    (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops']
  // What lies between two milestones of a walk may be put in order, and a queue that is empty be read without its index.
  const isSmall = (node: PlanNode) => [node, ...(node.Plans ?? [])].every((one) => visited(one) <= LIST_LIMITS.stride)
  return {
    indexes: nodes.flatMap((node) => node['Index Name'] ?? []).filter((name) => name.endsWith('_idx')),
    detours: nodes
      .filter((node) => /Seq Scan|Sort|Hash|Materialize/.test(node['Node Type']) && !isSmall(node))
      .map((node) => node['Node Type']),
    rows: scans.reduce((sum, node) => sum + visited(node), 0),
    blocks: root['Shared Hit Blocks'] + root['Shared Read Blocks'],
    ms: 0,
  }
}

function* nodesBelow(node: PlanNode): Generator<PlanNode> {
  yield node
  for (const child of node.Plans ?? []) yield* nodesBelow(child)
}
