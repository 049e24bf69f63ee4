import { text } from 'node:stream/consumers'
import type { AppliedMigration } from '../../database/migrations/migration-history.js'
import { BackupError } from '../backup-errors.js'
import { runProgram } from './libpq.js'
import { findProgram } from './programs.js'

const HISTORY = '_prisma_migrations'
/** How COPY writes NULL. */
const NULL = '\\N'

/**
 * Reads the table of contents of an archive of pg_dump's.
 * @param oldest the major version of the pg_restore that it takes, if that is known
 * @throws BackupError when it cannot be read, or pg_restore is missing
 */
export async function checkDump(file: string, oldest = 0): Promise<void> {
  const contents = await runProgram(await findProgram('pg_restore', oldest), ['--list', file], null, text)
  if (!/^;\s+TOC Entries: \d+/m.test(contents)) throw new BackupError(`${file} is not an archive of pg_dump's.`)
}

/**
 * What an archive has but for the rows of one table, for the `--use-list` of a pg_restore.
 * @param oldest the major version of the pg_restore that it takes, if that is known
 */
export async function contentsWithoutRows(file: string, table: string, oldest: number): Promise<string> {
  const contents = await runProgram(await findProgram('pg_restore', oldest), ['--list', file], null, text)
  return withoutRows(contents, table)
}

/** Removes the entry of a table's rows from a table of contents. */
export function withoutRows(contents: string, table: string): string {
  return contents.replace(new RegExp(`^\\d+; \\d+ \\d+ TABLE DATA .+ ${table} .*\\n`, 'm'), '')
}

/** The rows of `_prisma_migrations` in an archive, oldest first; none when it has no such table. */
export async function migrationsInDump(file: string): Promise<AppliedMigration[]> {
  const program = await findProgram('pg_restore', 0)
  const script = await runProgram(program, ['--data-only', `--table=${HISTORY}`, '--file=-', file], null, text)
  return parseHistory(script)
}

/** The rows that a COPY statement of a script has for `_prisma_migrations`, oldest first. */
export function parseHistory(script: string): AppliedMigration[] {
  const [, head = '', body = ''] =
    /^COPY \S*_prisma_migrations \((.*)\) FROM stdin;\n([\s\S]*?)^\\\.$/m.exec(script) ?? []
  const columns = head.split(', ')
  const valueOf = (row: string) => {
    const values = row.split('\t')
    return (column: string) => values[columns.indexOf(column)] ?? NULL
  }
  return body
    .split('\n')
    .filter((row) => row !== '')
    .map(valueOf)
    .sort((a, b) => (a('started_at') < b('started_at') ? -1 : 1))
    .map((value) => ({
      name: value('migration_name'),
      checksum: value('checksum'),
      isFinished: value('finished_at') !== NULL,
      isRolledBack: value('rolled_back_at') !== NULL,
    }))
}
