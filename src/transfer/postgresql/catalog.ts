import { isBookkeeping, type Table, type TableFacts } from '../model.js'
import { toTables } from '../tables.js'
import type { PostgresqlConnection } from './connect.js'
import { kindOfPostgresqlType } from './values.js'

const COLUMNS = `
  SELECT c.relname, a.attname, t.typname
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
  WHERE c.relnamespace = quote_ident(current_schema())::regnamespace AND c.relkind IN ('r', 'p')
    AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  ORDER BY c.relname, a.attnum`

/** The key, and the unique indexes that are one as a whole and on columns. */
const UNIQUES = `
  SELECT c.relname, i.indexrelid::text, i.indisprimary::text, a.attname
  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
  CROSS JOIN LATERAL unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k(attnum, place)
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
  WHERE c.relnamespace = quote_ident(current_schema())::regnamespace AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
  ORDER BY c.relname, i.indexrelid, k.place`

/** The tables of the schema, as the catalog has them. */
export async function readTables(connection: PostgresqlConnection): Promise<Table[]> {
  const columns = await connection.rows(COLUMNS)
  const uniques = await connection.rows(UNIQUES)
  const names = [...new Set(columns.map(([table]) => table ?? ''))].filter((name) => !isBookkeeping(name))
  return toTables(
    names.map((name) => factsOf(name, columns, uniques)),
    kindOfPostgresqlType,
  )
}

type CatalogRows = readonly (readonly (string | null)[])[]

function factsOf(name: string, columns: CatalogRows, uniques: CatalogRows): TableFacts {
  const indexes = new Map<string, { isKey: boolean; names: string[] }>()
  for (const [table, index, isPrimary, column] of uniques) {
    if (table !== name) continue
    const entry = indexes.get(index ?? '') ?? { isKey: isPrimary === 'true', names: [] }
    entry.names.push(column ?? '')
    indexes.set(index ?? '', entry)
  }
  const all = [...indexes.values()]
  return {
    name,
    columns: columns
      .filter(([table]) => table === name)
      .map(([, column, type]) => ({ name: column ?? '', type: type ?? '' })),
    key: all.find(({ isKey }) => isKey)?.names ?? [],
    uniques: all.filter(({ isKey }) => !isKey).map((entry) => entry.names),
  }
}

/** The type of each column as SQL names it, by table and column. */
export async function readTypes(connection: PostgresqlConnection): Promise<ReadonlyMap<string, string>> {
  const rows = await connection.rows(
    `SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relnamespace = quote_ident(current_schema())::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0
       AND NOT a.attisdropped`,
  )
  return new Map(rows.map(([table, column, type]) => [typeKey(table ?? '', column ?? ''), type ?? 'text']))
}

export function typeKey(table: string, column: string): string {
  return JSON.stringify([table, column])
}
