import type pg from 'pg'
import type { GivenNumbers } from '../database.js'

/** The advisory locks of transactions that may still write numbers; given by triggers of the migrations. */
const LOCK_CLASS = 26_465

interface Answers {
  readonly rows: readonly { readonly number: string | null }[]
}

/**
 * How far a table's numbers have come. A transaction that takes one holds, from before that, a lock that names the last
 * number then. So: first the last number, then the locks, in this order, which two statements have and one has not. Whoever
 * takes its lock after that gets a higher number than the first statement saw.
 * @param query sends several statements in one message, each with a snapshot of its own
 */
export async function givenNumbersOf(
  table: string,
  query: (config: pg.QueryConfig) => Promise<unknown>,
): Promise<GivenNumbers> {
  const text = `
    SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END AS number FROM "${table}_seq_seq";
    SELECT min(((classid::bigint & 65535) << 32) | objid::bigint) AS number FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 16 = ${LOCK_CLASS}
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
  const [given, open] = (await query({ text })) as readonly [Answers, Answers]
  const last = Number(given.rows[0]?.number)
  const lowest = open.rows[0]?.number
  return { last, settled: lowest == null ? last : Math.min(last, Number(lowest)) }
}
