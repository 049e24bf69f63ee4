import pg from 'pg'

/** Told of each statement that a connection has run; parameters are never passed. */
export type StatementListener = (event: { readonly sql: string; readonly durationMs: number }) => void

/**
 * A pool whose connections tell of their statements: also of BEGIN and COMMIT, which Prisma's adapter sends to the
 * connection directly and does not report.
 */
export function createPool(config: pg.PoolConfig, onStatement: StatementListener | undefined): pg.Pool {
  const pool = new pg.Pool(config)
  // A connection that breaks while nobody uses it is the pool's to replace; without a listener it would end the process.
  pool.on('error', () => undefined)
  if (onStatement) pool.on('connect', (client) => instrument(client, onStatement))
  return pool
}

function instrument(client: pg.PoolClient, onStatement: StatementListener): void {
  const query = client.query.bind(client) as (...args: unknown[]) => unknown
  const observed = (...args: unknown[]): unknown => {
    const start = performance.now()
    const result = query(...args)
    const told = () => onStatement({ sql: textOf(args[0]), durationMs: performance.now() - start })
    if (result instanceof Promise) void result.then(told, told)
    return result
  }
  client.query = observed as typeof client.query
}

function textOf(query: unknown): string {
  if (typeof query === 'string') return query
  return typeof query === 'object' && query !== null && 'text' in query ? String(query.text) : ''
}
