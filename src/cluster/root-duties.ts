import { renameSync } from 'node:fs'
import type { Logger } from 'pino'
import { RateOffice } from '../access/limits/rate-office.js'
import { BackupSchedule, type BackupStatus } from '../backup/schedule.js'
import type { Settings } from '../config/settings.js'
import { ticketsFor } from '../database/root-database.js'
import { CheckpointHost } from '../database/sqlite/checkpoints/checkpoint-host.js'
import type { CheckpointObserver } from '../database/sqlite/checkpoints/checkpointer.js'
import { DatabaseIdentity, FileIdentity } from '../database/sqlite/file-identity.js'
import { GatherOffice } from '../metrics/gather-office.js'
import { RootMetrics } from '../metrics/root-metrics.js'
import { RevisionRetention } from '../retention/revision-retention.js'
import { TermIndexer } from '../search/term-indexer.js'
import type { WorkerCoordination } from './primary.js'

/** The files of an SQLite database: the one that was migrated, and all of them since a connection keeps them. */
interface Files {
  readonly database: FileIdentity
  readonly all: DatabaseIdentity
  areKept: boolean
}

/** What the process that starts a server does for all that serve, beside serving: be it a primary or the only one. */
export class RootDuties {
  readonly metrics: RootMetrics
  readonly #settings: Settings
  readonly #logger: Logger
  readonly #files: Files | undefined
  readonly #checkpoints: CheckpointHost | undefined
  readonly #backups: BackupSchedule
  readonly #retention: RevisionRetention
  readonly #indexer: TermIndexer

  /** Begins with them. The database must be there, and current. */
  constructor(settings: Settings, logger: Logger) {
    this.#settings = settings
    this.#logger = logger
    this.metrics = new RootMetrics(settings, settings.server.workers)
    const { target } = settings.database
    if (target.provider === 'sqlite') {
      this.#files = { database: new FileIdentity(target.file), all: new DatabaseIdentity(target.file), areKept: false }
      this.#files.database.remember()
      this.#checkpoints = this.#startCheckpoints(target.file)
    }
    this.#backups = new BackupSchedule({ settings, logger, onStatus: backupMetrics(this.metrics) })
    this.#retention = new RevisionRetention(settings, logger, () => this.#assertUnchanged())
    this.#indexer = new TermIndexer(settings.database, logger, () => this.#assertUnchanged())
  }

  /** To be called when all that should serve do. */
  served(): void {
    this.#backups.start()
    this.#retention.start()
    this.#indexer.start()
  }

  /** What a primary does for its workers. */
  coordination(): WorkerCoordination {
    const { metrics } = this
    const files = this.#files
    metrics.addPrimary()
    const gatherOffice = new GatherOffice(metrics)
    const rateOffice = new RateOffice(this.#settings.access.rateLimitPerMinute)
    const giveTickets = ticketsFor(this.#settings.database, (tickets) => metrics.watchTickets(tickets))
    return {
      onFork: (worker, slot) => {
        giveTickets(worker, slot)
        gatherOffice.attach(worker)
        rateOffice.attach(worker)
      },
      onDeath: (slot) => metrics.workerDied(slot),
      get databaseFiles() {
        return files && String(files.areKept ? files.all : files.database)
      },
      assertUnchanged: () => this.#assertUnchanged(),
    }
  }

  /** Ends them. To be called when nobody serves any more: the last one to leave the database tidies it up. */
  async stop(): Promise<void> {
    await this.#backups.stop()
    await this.#retention.stop()
    await this.#indexer.stop()
    await this.#checkpoints?.close()
    this.#putOrphansAside()
    this.metrics.close()
  }

  #startCheckpoints(file: string): CheckpointHost {
    const { synchronous, checkpoints } = this.#settings.database
    const { passiveBytes, truncateBytes, isExternal } = checkpoints
    return new CheckpointHost({
      ...{ file, synchronous },
      limits: { passiveBytes, truncateBytes, isLookOnly: isExternal },
      observer: this.#checkpointObserver(),
      onDeath: (reason) =>
        this.#logger.error({ err: reason }, 'the thread of the checkpoints died and is started again'),
    })
  }

  #checkpointObserver(): CheckpointObserver {
    const logger = this.#logger
    return {
      onLook: ({ backlogFrames }) => {
        this.metrics.setWalBacklog(backlogFrames)
        this.#rememberFiles()
      },
      onCheckpoint: (report) => {
        const { mode, outcome, durationMs } = report
        this.metrics.checkpointDone({ mode, result: outcome, durationMs })
        if (outcome === 'error') logger.error(report, 'a checkpoint failed')
        else logger.debug(report, 'checkpoint')
      },
      onPinned: (event) =>
        logger.warn(event, 'the WAL is pinned: a reader keeps it from being copied, and it grows with each write'),
      onGrown: (event) => logger.warn(event, 'the WAL has grown far beyond CHECKPOINT_TRUNCATE_BYTES'),
    }
  }

  #assertUnchanged(): void {
    const files = this.#files
    const kept = files?.areKept ? files.all : files?.database
    kept?.assertUnchanged()
  }

  // Once: from now on the thread's connection keeps all three, and others than these are somebody else's.
  #rememberFiles(): void {
    const files = this.#files
    if (!files || files.areKept) return
    files.all.remember(String(files.database))
    files.areKept = true
  }

  // A database that was replaced leaves its log behind, which the next one to open the path would take for the new one's.
  #putOrphansAside(): void {
    if (!this.#files?.areKept) return
    const suffix = `.orphaned-${new Date().toISOString().replace(/[-:.]/g, '')}`
    for (const file of this.#files.all.orphans()) {
      renameSync(file, file + suffix)
      this.#logger.warn({ file: file + suffix }, 'the log of the database that was replaced is kept aside')
    }
  }
}

function backupMetrics(metrics: RootMetrics): (status: BackupStatus) => void {
  let failedAt: number | undefined
  return ({ lastSuccess, lastFailure }) => {
    if (lastSuccess) metrics.backupSucceeded(lastSuccess)
    if (lastFailure && lastFailure.at !== failedAt) metrics.backupFailed()
    failedAt = lastFailure?.at
  }
}
