import type { AppliedMigration } from './migration-history.js'

/** A database's own side of the migrations. */
export interface MigrationStore {
  /** The rows of `_prisma_migrations`, oldest first; none when there is no such table, or no database yet. */
  readApplied(): Promise<AppliedMigration[]>

  /** Whether a transfer fills this database and has not come to its end: it is not to be used yet. */
  isBeingFilled(): Promise<boolean>

  /** Waits, as long as it takes, until no other server migrates this database, then runs `work`. */
  exclusively<T>(work: () => Promise<T>): Promise<T>
}
