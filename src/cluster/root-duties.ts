import type { Logger } from 'pino'
import type { Settings } from '../config/settings.js'
import { CheckpointHost } from '../database/sqlite/checkpoints/checkpoint-host.js'
import type { CheckpointObserver } from '../database/sqlite/checkpoints/checkpointer.js'

/** What the process that starts a server does for all that serve, beside serving: be it a primary or the only one. */
export class RootDuties {
  readonly #checkpoints: CheckpointHost | undefined

  /** Begins with them. The database must be there, and current. */
  constructor({ database }: Settings, logger: Logger) {
    const { target, synchronous, checkpoints } = database
    if (target.provider === 'postgresql' || checkpoints.isExternal) return
    this.#checkpoints = new CheckpointHost({
      file: target.file,
      synchronous,
      limits: checkpoints,
      observer: checkpointLog(logger),
      onDeath: (reason) => logger.error({ err: reason }, 'the thread of the checkpoints died and is started again'),
    })
  }

  /** Ends them. To be called when nobody serves any more: the last one to leave the database tidies it up. */
  async stop(): Promise<void> {
    await this.#checkpoints?.close()
  }
}

function checkpointLog(logger: Logger): CheckpointObserver {
  return {
    onCheckpoint: (report) => {
      if (report.outcome === 'error') logger.error(report, 'a checkpoint failed')
      else logger.debug(report, 'checkpoint')
    },
    onPinned: (event) =>
      logger.warn(event, 'the WAL is pinned: a reader keeps it from being copied, and it grows with each write'),
    onGrown: (event) => logger.warn(event, 'the WAL has grown far beyond CHECKPOINT_TRUNCATE_BYTES'),
  }
}
