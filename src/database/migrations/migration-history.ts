/** A migration as it lies in the migrations folder. `checksum` is the SHA-256 of its SQL, as Prisma computes it. */
export interface MigrationFile {
  readonly name: string
  readonly checksum: string
}

/** A row of Prisma's `_prisma_migrations`. */
export interface AppliedMigration extends MigrationFile {
  readonly isFinished: boolean
  readonly isRolledBack: boolean
}

/** How a database's history compares with the code's. `names` are the migrations that make the difference. */
export interface HistoryState {
  readonly state: 'current' | 'behind' | 'ahead' | 'edited' | 'failed'
  readonly names: readonly string[]
}

/** Compares what was applied with what the code has. The gravest difference is told, and it alone. */
export function compareHistory(files: readonly MigrationFile[], applied: readonly AppliedMigration[]): HistoryState {
  const standing = applied.filter((migration) => !migration.isRolledBack)
  const failed = standing.filter((migration) => !migration.isFinished)
  const ahead = standing.filter((migration) => !files.some((file) => file.name === migration.name))
  const edited = standing.filter((migration) =>
    files.some((file) => file.name === migration.name && file.checksum !== migration.checksum),
  )
  const behind = files.filter((file) => !standing.some((migration) => migration.name === file.name))
  const differences = { failed, ahead, edited, behind }
  for (const [state, migrations] of Object.entries(differences)) {
    if (migrations.length > 0) return { state: state as keyof typeof differences, names: migrations.map(nameOf) }
  }
  return { state: 'current', names: [] }
}

function nameOf(migration: MigrationFile): string {
  return migration.name
}
