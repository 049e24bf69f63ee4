import { statSync } from 'node:fs'
import { BackupError } from './backup-errors.js'
import { sha256Of } from './durable.js'
import { type BackupContent, type Manifest, readManifest } from './manifest.js'
import type { BackupProgress } from './messages.js'
import { checkDump } from './postgresql/archive.js'
import { inspectFile } from './sqlite/inspect.js'

/**
 * Checks a backup against its manifest: size, SHA-256, and for SQLite integrity, foreign keys and what is in it; of
 * PostgreSQL's archive the table of contents is read. Blocks.
 * @throws BackupError that says what is wrong with it
 */
export async function checkBackup(file: string, onProgress: (progress: BackupProgress) => void): Promise<Manifest> {
  const manifest = readManifest(file)
  if (!manifest) throw new BackupError(`${file} has no manifest: it is not a backup, or only half of one.`)
  assertSize(file, manifest)
  const total = manifest.bytes
  const sha256 = await sha256Of(file, (done) => onProgress({ phase: 'hashing', done, total }))
  assertHash(file, manifest, sha256)
  onProgress({ phase: 'checking', done: 0, total: 1 })
  if (manifest.dialect === 'sqlite') assertContent(file, manifest, inspectFile(file))
  else await checkDump(file, parseInt(manifest.databaseVersion, 10))
  onProgress({ phase: 'checking', done: 1, total: 1 })
  return manifest
}

/** @throws BackupError when a file has not the size that the manifest tells, or is not there */
export function assertSize(file: string, { bytes }: Manifest): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size
  if (size === bytes) return
  throw new BackupError(
    `${file} ${size === undefined ? 'is not there' : `has ${size} bytes`}, its manifest says ${bytes}.`,
  )
}

/** @throws BackupError when a file has not the hash that the manifest tells */
export function assertHash(file: string, manifest: Manifest, sha256: string): void {
  if (sha256 === manifest.sha256) return
  throw new BackupError(
    `${file} was changed since it was made: its SHA-256 is ${sha256}, its manifest says ${manifest.sha256}.`,
  )
}

/** @throws BackupError when there is something else in a file than the manifest tells */
export function assertContent(file: string, manifest: Manifest, content: BackupContent): void {
  const { rows } = manifest
  if (textOf(content) === textOf(manifest)) return
  throw new BackupError(
    `${file} does not hold what its manifest says: ${JSON.stringify(content.rows)} rows, ${JSON.stringify(rows)} told.`,
  )
}

function textOf({ rows, newestPersona, migrations }: BackupContent): string {
  return JSON.stringify([rows, newestPersona, migrations])
}
