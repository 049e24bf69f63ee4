/** What a transfer puts into a database, on either side. Nothing else may have names that begin like this. */
export const OWN_PREFIX = '_gator_transfer'
export const CHANGES = '_gator_transfer_changes'
export const MARK = '_gator_transfer_mark'
export { TRANSFER_STATE as STATE } from '../database/migrations/transfer-state.js'
export const CAPTURE = '_gator_transfer_capture'
export const SEAL = '_gator_transfer_seal'

export { DATABASE_MOVED_CODE } from '../database/database-errors.js'

/** An identifier in SQL, for either database. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A text in SQL, for either database; PostgreSQL with standard_conforming_strings, its default. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
