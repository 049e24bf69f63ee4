import { readFileSync } from 'node:fs'
import * as z from 'zod'
import type { DatabaseTarget } from '../config/database-url.js'
import { BackupError } from './backup-errors.js'
import { errorCodeOf } from './error-code.js'

export const MANIFEST_FORMAT = 1

/** What a look into a database tells, be it the copy (SQLite) or the snapshot that is dumped (PostgreSQL). */
const contentSchema = z.object({
  /** Rows of every table, Prisma's history included. */
  rows: z.record(z.string(), z.number().int().nonnegative()),
  /** The persona that was changed last; null when there is none. */
  newestPersona: z.object({ id: z.string(), version: z.number().int(), updatedAt: z.iso.datetime() }).nullable(),
  /** The standing migrations, oldest first. */
  migrations: z.array(z.object({ name: z.string(), checksum: z.string() })),
})

const manifestSchema = contentSchema.extend({
  format: z.literal(MANIFEST_FORMAT),
  gatorVersion: z.string(),
  dialect: z.enum(['sqlite', 'postgresql']),
  /** Which database it is of, see {@link databaseNameOf}: several may share a folder. */
  database: z.string(),
  /** The version of SQLite, or of the PostgreSQL server. */
  databaseVersion: z.string(),
  /** Every write acknowledged before this time is in the backup. */
  startedAt: z.iso.datetime(),
  /** When the copy had been checked. */
  finishedAt: z.iso.datetime(),
  bytes: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})

/** The file of an SQLite database, or the host and the name of a PostgreSQL one; without user and password. */
export function databaseNameOf(target: DatabaseTarget): string {
  if (target.provider === 'sqlite') return target.url
  const { host, pathname } = new URL(target.url)
  return `postgresql://${host}${pathname}`
}

export type BackupContent = z.output<typeof contentSchema>

/** What a backup says of itself. It lies beside the file and is written last: without it there is no backup. */
export type Manifest = z.output<typeof manifestSchema>

export function manifestPathOf(file: string): string {
  return `${file}.json`
}

/**
 * The manifest of a backup file; null when it has none.
 * @throws BackupError when there is one that cannot be understood
 */
export function readManifest(file: string): Manifest | null {
  const path = manifestPathOf(file)
  const text = readIfThere(path)
  if (text === null) return null
  try {
    return manifestSchema.parse(JSON.parse(text))
  } catch (error) {
    throw new BackupError(`The manifest ${path} is damaged, or of another version of gator.`, { cause: error })
  }
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return null
    throw error
  }
}
