import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readMigrationFiles } from '../../src/database/migrations/migration-files.js'
import { packageRoot } from '../../src/package-root.js'
import { withDatabase } from './database-file.js'

/** The table that Prisma keeps its history in, as Prisma's own engine makes it. */
const HISTORY = `
  CREATE TABLE "_prisma_migrations" (
    "id" TEXT PRIMARY KEY NOT NULL,
    "checksum" TEXT NOT NULL,
    "finished_at" DATETIME,
    "migration_name" TEXT NOT NULL,
    "logs" TEXT,
    "rolled_back_at" DATETIME,
    "started_at" DATETIME NOT NULL DEFAULT current_timestamp,
    "applied_steps_count" INTEGER UNSIGNED NOT NULL DEFAULT 0
  )`

/**
 * Makes `gator.db` in a folder as `prisma migrate deploy` would leave it, in a fraction of the time. A server checks the
 * history before it serves, so a database that was made wrongly is noticed.
 */
export function makeMigratedDatabase(folder: string): void {
  withDatabase(folder, (database) => {
    database.pragma('journal_mode = WAL')
    database.exec(HISTORY)
    for (const { name, checksum } of readMigrationFiles('sqlite')) {
      database.exec(readFileSync(join(packageRoot, 'prisma', 'migrations', 'sqlite', name, 'migration.sql'), 'utf8'))
      database
        .prepare(
          `INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, started_at, applied_steps_count)
           VALUES (?, ?, ?, ?, ?, 1)`,
        )
        .run(randomUUID(), checksum, Date.now(), name, Date.now())
    }
  })
}
