import type { Logger } from 'pino'
import type { Settings } from '../config/settings.js'
import { BackupAbortedError, BackupBusyError } from './backup-errors.js'
import { lockFolder } from './folder-lock.js'
import { type Backup, backupsOf, removeLeftovers } from './folder.js'
import { databaseNameOf } from './manifest.js'
import { takeBackup } from './take-backup.js'

/** What became of the backups, for whoever shows it. Times are milliseconds since 1970. */
export interface BackupStatus {
  /** The newest backup of the folder, whoever has made it; null when there is none. */
  readonly lastSuccess: { readonly at: number; readonly durationMs: number; readonly bytes: number } | null
  /** The last failure of this schedule; null when there was none since it was started. */
  readonly lastFailure: { readonly at: number; readonly reason: string } | null
}

export interface BackupScheduleOptions {
  readonly settings: Pick<Settings, 'database' | 'backup'>
  readonly logger: Logger
  /** Told whenever it has looked: at the start, once a minute, and after each run. */
  readonly onStatus?: (status: BackupStatus) => void
  /** Makes the backup; `takeBackup` unless a test has another. */
  readonly take?: typeof takeBackup
}

/** The clock may be set, the machine may sleep, and others make backups too: so often it is looked anew what is due. */
const LOOK_AGAIN_MS = 60_000
const RETRY_MS = 300_000

/**
 * Makes a backup whenever the newest one of the folder is older than the interval: a restart neither skips one nor makes
 * one more. For the process that is the root of a server: call `start()` once it serves, `stop()` when it is told to end,
 * and wait for it. With an interval of 0 it makes none, and tells the status of those there are.
 */
export class BackupSchedule {
  readonly #options: Required<Omit<BackupScheduleOptions, 'onStatus'>> & Pick<BackupScheduleOptions, 'onStatus'>
  readonly #ending = new AbortController()
  #status: BackupStatus = { lastSuccess: null, lastFailure: null }
  #timer: NodeJS.Timeout | undefined
  #run: Promise<void> = Promise.resolve()
  /** When its own last backup was begun: the folder may not tell. */
  #madeAt = -Infinity
  /** When somebody else was at it. */
  #busyAt = -Infinity

  constructor(options: BackupScheduleOptions) {
    this.#options = { take: takeBackup, ...options }
  }

  start(): void {
    this.#tidy()
    this.#look()
  }

  /** Resolves when nothing of it runs any more; a backup that was under way is ended, and nothing is left of it. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer)
    this.#ending.abort()
    await this.#run
  }

  #look(): void {
    const { intervalMs } = this.#options.settings.backup
    const newest = this.#newest()
    this.#tellSuccess(newest)
    const { lastFailure } = this.#status
    const madeAt = Math.max(this.#madeAt, newest ? Date.parse(newest.manifest.startedAt) : -Infinity)
    const retryAt = Math.max(lastFailure?.at ?? -Infinity, this.#busyAt) + Math.min(RETRY_MS, intervalMs)
    const waitMs = Math.max(madeAt + intervalMs, retryAt) - Date.now()
    if (intervalMs > 0 && waitMs <= 0) this.#run = this.#back()
    else this.#lookIn(intervalMs > 0 ? Math.min(waitMs, LOOK_AGAIN_MS) : LOOK_AGAIN_MS)
  }

  #lookIn(ms: number): void {
    if (this.#ending.signal.aborted) return
    this.#timer = setTimeout(() => this.#look(), ms)
    // It is not what keeps a server running.
    this.#timer.unref()
  }

  async #back(): Promise<void> {
    const { settings, logger, take } = this.#options
    const begunAt = Date.now()
    try {
      const { name, manifest, removed } = await take(settings, { signal: this.#ending.signal })
      this.#madeAt = begunAt
      this.#status = { ...this.#status, lastFailure: null }
      logger.info({ name, bytes: manifest.bytes, rows: manifest.rows, removed }, 'a backup was made')
    } catch (error) {
      if (error instanceof BackupAbortedError) return
      this.#fail(error)
    }
    // The interval may be shorter than the backup takes.
    this.#lookIn(0)
  }

  // Whoever else is at it may succeed: that is no failure, but nothing to wait for without a break either.
  #fail(error: unknown): void {
    const { logger } = this.#options
    const reason = error instanceof Error ? error.message : String(error)
    if (error instanceof BackupBusyError) {
      logger.warn(reason)
      this.#busyAt = Date.now()
      return
    }
    logger.error({ err: error }, 'the backup failed; it is tried again')
    this.#tell({ ...this.#status, lastFailure: { at: Date.now(), reason } })
  }

  // What a server that was killed in the middle of a backup has left may be as large as the database.
  #tidy(): void {
    const { directory } = this.#options.settings.backup
    try {
      const unlock = lockFolder(directory)
      try {
        removeLeftovers(directory)
      } finally {
        unlock()
      }
    } catch {
      // There is no folder yet, or somebody is at it.
    }
  }

  #newest(): Backup | undefined {
    try {
      const { backup, database } = this.#options.settings
      const backups = backupsOf(backup.directory, databaseNameOf(database.target))
      // One of the future, by a clock that was wrong, says nothing of what is due.
      return backups.find(({ manifest }) => Date.parse(manifest.startedAt) <= Date.now())
    } catch (error) {
      this.#options.logger.error({ err: error }, 'the folder of the backups cannot be read')
      return undefined
    }
  }

  #tellSuccess(newest: Backup | undefined): void {
    if (!newest) return this.#tell({ ...this.#status, lastSuccess: null })
    const { startedAt, finishedAt, bytes } = newest.manifest
    const at = Date.parse(finishedAt)
    this.#tell({ ...this.#status, lastSuccess: { at, durationMs: at - Date.parse(startedAt), bytes } })
  }

  #tell(status: BackupStatus): void {
    this.#status = status
    this.#options.onStatus?.(status)
  }
}
