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
    const told = () => onStatement({ sql: textOf(args[0]), durationMs: performance.now() - start })
    const callback = args.at(-1)
    // The pool's own query() calls back; Prisma's adapter awaits, in a transaction.
    if (isFunction(callback)) {
      return query(...args.slice(0, -1), (...outcome: unknown[]) => {
        told()
        callback(...outcome)
      })
    }
    const result = query(...args)
    if (result instanceof Promise) void result.then(told, told)
    return result
  }
  client.query = observed as typeof client.query
}

function isFunction(value: unknown): value is (...args: unknown[]) => void {
  return typeof value === 'function'
}

function textOf(query: unknown): string {
  if (typeof query === 'string') return query
  return typeof query === 'object' && query !== null && 'text' in query ? String(query.text) : ''
}
