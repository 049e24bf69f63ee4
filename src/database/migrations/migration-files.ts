import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../package-root.js'
import type { DatabaseTarget } from '../../config/database-url.js'
import type { MigrationFile } from './migration-history.js'

/** The migrations of the code for one kind of database, oldest first. */
export function readMigrationFiles(
  provider: DatabaseTarget['provider'],
  root: string = join(packageRoot, 'prisma', 'migrations'),
): MigrationFile[] {
  const folder = join(root, provider)
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((name) => ({ name, checksum: sha256(readFileSync(join(folder, name, 'migration.sql'))) }))
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
