import type { AppliedMigration } from './migration-history.js'

/** A database's own side of the migrations. */
export interface MigrationStore {
  /** The rows of `_prisma_migrations`, oldest first; none when there is no such table, or no database yet. */
  readApplied(): Promise<AppliedMigration[]>

  /**
   * Runs `work` while no other server migrates this database; it waits for the others as long as they take. The Prisma
   * command line is kept out by its own lock or, on SQLite, by this one.
   */
  exclusively<T>(work: () => Promise<T>): Promise<T>
}
