import type { Logger } from 'pino'
import { BackupSchedule, type BackupStatus } from '../backup/schedule.js'
import type { Settings } from '../config/settings.js'
import { databaseCoordination } from '../database/root-database.js'
import { CheckpointHost } from '../database/sqlite/checkpoints/checkpoint-host.js'
import type { CheckpointObserver } from '../database/sqlite/checkpoints/checkpointer.js'
import { GatherOffice } from '../metrics/gather-office.js'
import { RootMetrics } from '../metrics/root-metrics.js'
import type { WorkerCoordination } from './primary.js'

/** What the process that starts a server does for all that serve, beside serving: be it a primary or the only one. */
export class RootDuties {
  readonly metrics: RootMetrics
  readonly #settings: Settings
  readonly #logger: Logger
  readonly #checkpoints: CheckpointHost | undefined
  readonly #backups: BackupSchedule

  /** Begins with them. The database must be there, and current. */
  constructor(settings: Settings, logger: Logger) {
    this.#settings = settings
    this.#logger = logger
    this.metrics = new RootMetrics(settings.database, settings.server.workers)
    this.#checkpoints = this.#startCheckpoints()
    let failedAt: number | undefined
    const onStatus = ({ lastSuccess, lastFailure }: BackupStatus) => {
      if (lastSuccess) this.metrics.backupSucceeded(lastSuccess)
      if (lastFailure && lastFailure.at !== failedAt) this.metrics.backupFailed()
      failedAt = lastFailure?.at
    }
    this.#backups = new BackupSchedule({ settings, logger, onStatus })
    this.#backups.start()
  }

  /** What a primary does for its workers. */
  coordination(): WorkerCoordination {
    const { metrics } = this
    metrics.addPrimary()
    const gatherOffice = new GatherOffice(metrics)
    const database = databaseCoordination(this.#settings.database, (tickets) => metrics.watchTickets(tickets))
    return {
      ...database,
      onFork: (worker, slot) => {
        database.onFork(worker, slot)
        gatherOffice.attach(worker)
      },
      onDeath: (slot) => metrics.workerDied(slot),
    }
  }

  /** Ends them. To be called when nobody serves any more: the last one to leave the database tidies it up. */
  async stop(): Promise<void> {
    await this.#backups.stop()
    await this.#checkpoints?.close()
    this.metrics.close()
  }

  #startCheckpoints(): CheckpointHost | undefined {
    const { target, synchronous, checkpoints } = this.#settings.database
    if (target.provider === 'postgresql' || checkpoints.isExternal) return undefined
    return new CheckpointHost({
      file: target.file,
      synchronous,
      limits: checkpoints,
      observer: this.#checkpointObserver(),
      onDeath: (reason) =>
        this.#logger.error({ err: reason }, 'the thread of the checkpoints died and is started again'),
    })
  }

  #checkpointObserver(): CheckpointObserver {
    const logger = this.#logger
    return {
      onLook: ({ backlogFrames }) => this.metrics.setWalBacklog(backlogFrames),
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
}
