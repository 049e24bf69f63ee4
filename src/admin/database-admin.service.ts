import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common'
import { type Backup, listBackups } from '../backup/folder.js'
import { BackupNotFoundError } from '../backup/backup-errors.js'
import { type Manifest, readManifest } from '../backup/manifest.js'
import { backupPathOf } from '../backup/names.js'
import { takeBackup, verifyBackup } from '../backup/take-backup.js'
import { SETTINGS } from '../config/config.module.js'
import type { Settings } from '../config/settings.js'
import { Database } from '../database/database.js'
import { readMigrationFiles } from '../database/migrations/migration-files.js'
import { compareHistory } from '../database/migrations/migration-history.js'
import { checkpointNow } from '../database/sqlite/checkpoints/checkpoint-now.js'
import { freeBytes } from '../database/sqlite/free-space.js'
import { Gatherer } from '../metrics/gatherer.js'
import { NotOnThisDatabaseError } from './admin-errors.js'
import { adviceOn } from './contention-advice.js'

/** What operators ask of the database over HTTP; long work runs beside the process that answers. */
@Injectable()
export class DatabaseAdminService implements BeforeApplicationShutdown {
  private readonly ending = new AbortController()

  constructor(
    private readonly database: Database,
    private readonly gatherer: Gatherer,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** A backup that is under way is ended, and nothing is left of it. */
  beforeApplicationShutdown(): void {
    this.ending.abort()
  }

  async info(): Promise<object> {
    const { target, synchronous, busyTimeoutMs } = this.settings.database
    const { version, bytes, details } = await this.database.describe()
    if (target.provider === 'postgresql') return { provider: target.provider, version, bytes, details }
    const { file } = target
    const walBytes = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0
    return {
      ...{ provider: target.provider, version, file, bytes, wal_bytes: walBytes },
      disk_free_bytes: freeBytes(dirname(file)),
      details: { ...details, synchronous, busy_timeout_ms: busyTimeoutMs },
    }
  }

  async schemaStatus(): Promise<object> {
    const applied = await this.database.appliedMigrations()
    const { state, names } = compareHistory(readMigrationFiles(this.database.provider), applied)
    const migrations = applied.map(({ name, checksum, isFinished, isRolledBack }) => {
      return { name, checksum, is_finished: isFinished, is_rolled_back: isRolledBack }
    })
    return { state, differing: names, migrations }
  }

  async backup(): Promise<object> {
    const { name, manifest, removed } = await takeBackup(this.settings, { signal: this.ending.signal })
    return { ...resourceOf({ name, manifest }), removed }
  }

  backups(): object[] {
    return listBackups(this.settings.backup.directory).map(resourceOf)
  }

  /** @throws BackupNotFoundError for anything but the name of a backup in the folder */
  backupFile(name: string): { readonly path: string; readonly bytes: number } {
    const path = backupPathOf(this.settings.backup.directory, name)
    // Half of one has none.
    if (!readManifest(path)) throw new BackupNotFoundError(name)
    return { path, bytes: statSync(path).size }
  }

  /** @throws BackupNotFoundError, or BackupError that says what is wrong with it */
  async verify(name: string): Promise<object> {
    const manifest = await verifyBackup(this.backupFile(name).path, { signal: this.ending.signal })
    return { ...resourceOf({ name, manifest }), is_sound: true }
  }

  async checkpoint(mode: 'passive' | 'truncate'): Promise<object> {
    const { target, checkpoints } = this.settings.database
    if (target.provider === 'postgresql') {
      throw new NotOnThisDatabaseError('PostgreSQL makes its checkpoints itself.')
    }
    if (checkpoints.isExternal) {
      throw new NotOnThisDatabaseError('With CHECKPOINT_OWNER=external another program makes the checkpoints.')
    }
    const { isBusy, frames, checkpointed } = await checkpointNow(
      target.file,
      mode === 'passive' ? 'PASSIVE' : 'TRUNCATE',
    )
    return { mode, is_complete: !isBusy && checkpointed >= frames, is_busy: isBusy, frames, checkpointed }
  }

  async contention(): Promise<object> {
    const workers = await this.gatherer.contention()
    const resources = workers.map(({ heldMs, waits, outsideMs, longestHolds, ...rest }) => ({
      ...rest,
      held_ms: heldMs,
      waits: {
        count: waits.count,
        ...{ p50_ms: waits.p50Ms, p95_ms: waits.p95Ms, p99_ms: waits.p99Ms, max_ms: waits.maxMs },
      },
      outside_ms: outsideMs,
      longest_holds: longestHolds.map(({ heldMs: ms, ...hold }) => ({ ...hold, held_ms: ms })),
    }))
    return { workers: resources, advice: adviceOn(this.database.provider, workers) }
  }
}

function resourceOf({ name, manifest }: Pick<Backup, 'name'> & { readonly manifest: Manifest }): object {
  return {
    name,
    ...{
      dialect: manifest.dialect,
      database: manifest.database,
      started_at: manifest.startedAt,
      finished_at: manifest.finishedAt,
    },
    ...{ bytes: manifest.bytes, sha256: manifest.sha256, rows: manifest.rows },
    migrations: manifest.migrations.map((migration) => migration.name),
    ...{ database_version: manifest.databaseVersion, gator_version: manifest.gatorVersion },
  }
}
