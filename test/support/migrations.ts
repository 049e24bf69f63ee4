import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readMigrationFiles } from '../../src/database/migrations/migration-files.js'
import { packageRoot } from '../../src/package-root.js'

/** The table that Prisma keeps its history in, as Prisma's own engine makes it. */
const HISTORY = {
  sqlite: `
    CREATE TABLE "_prisma_migrations" (
      "id" TEXT PRIMARY KEY NOT NULL,
      "checksum" TEXT NOT NULL,
      "finished_at" DATETIME,
      "migration_name" TEXT NOT NULL,
      "logs" TEXT,
      "rolled_back_at" DATETIME,
      "started_at" DATETIME NOT NULL DEFAULT current_timestamp,
      "applied_steps_count" INTEGER UNSIGNED NOT NULL DEFAULT 0
    );`,
  postgresql: `
    CREATE TABLE "_prisma_migrations" (
      "id" VARCHAR(36) PRIMARY KEY NOT NULL,
      "checksum" VARCHAR(64) NOT NULL,
      "finished_at" TIMESTAMPTZ,
      "migration_name" VARCHAR(255) NOT NULL,
      "logs" TEXT,
      "rolled_back_at" TIMESTAMPTZ,
      "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(),
      "applied_steps_count" INTEGER NOT NULL DEFAULT 0
    );`,
} as const

/**
 * The SQL that makes of an empty database what `prisma migrate deploy` would, in a fraction of the time. A server checks
 * the history before it serves, so a database that was made wrongly is noticed.
 */
export function migrationScript(provider: keyof typeof HISTORY): string {
  const migrations = readMigrationFiles(provider).map(({ name, checksum }) => {
    const sql = readFileSync(join(packageRoot, 'prisma', 'migrations', provider, name, 'migration.sql'), 'utf8')
    return `${sql};
      INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, started_at, applied_steps_count)
      VALUES ('${randomUUID()}', '${checksum}', CURRENT_TIMESTAMP, '${name}', CURRENT_TIMESTAMP, 1);`
  })
  return [HISTORY[provider], ...migrations].join('\n')
}
