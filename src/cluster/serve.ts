import type { Logger } from 'pino'
import type { Settings } from '../config/settings.js'
import { type AppOptions, createApp } from '../create-app.js'
import { HealthService } from '../health/health.service.js'
import { Database } from '../database/database.js'
import { giveRoomToRequests } from './heap.js'
import type { RootDuties } from './root-duties.js'
import { listenFailure, tellPrimary } from './start-failure.js'
import { stopOnSignals } from './shutdown.js'

export interface ServeOptions extends Pick<AppOptions, 'openDatabase' | 'controllers'> {
  /** The slot of this worker; undefined when it is the only process. */
  readonly worker?: number | undefined
  /** What this process does besides, when it is the only one. */
  readonly duties?: RootDuties
}

/** Serves in this process until a signal stops it. */
export async function serve(settings: Settings, logger: Logger, { duties, ...options }: ServeOptions): Promise<void> {
  const app = await createApp({ settings, logger, ...options, rootMetrics: duties?.metrics })
  let settle: () => void = () => undefined
  const started = new Promise<void>((resolve) => (settle = resolve))
  const stop = stopOnSignals(app, logger, started, () => duties?.stop() ?? Promise.resolve())
  endWithDatabase(app.get(Database), (reason) => {
    logger.fatal({ reason }, 'the database cannot be used any more: stopping')
    void tellPrimary(reason, true).then((isTold) => {
      if (!isTold) stop(1)
    })
  })
  // The first query costs 200 ms of a processor: before anyone waits for its answer. A database that is away is logged.
  await app.get(HealthService).readiness()
  const { host, port } = settings.server
  try {
    await app.listen({ host, port })
  } catch (error) {
    throw listenFailure(error, host, port)
  } finally {
    settle()
  }
  giveRoomToRequests()
  logger.info({ url: await app.getUrl() }, 'listening')
  duties?.served()
}

// Twice this, and the time that a look takes, is how long such a server serves at most.
const LOOK_EVERY_MS = 2_000

/**
 * Looks every now and then whether the database is still the one that was opened. Not at once when it is not: whoever
 * asks for readiness is to hear first that this process is not ready.
 */
function endWithDatabase(database: Database, end: (reason: string) => void): void {
  let isFirst = true
  const timer = setInterval(() => {
    try {
      database.assertUsable()
      isFirst = true
    } catch (error) {
      if (!isFirst) {
        clearInterval(timer)
        end((error as Error).message)
      }
      isFirst = false
    }
  }, LOOK_EVERY_MS)
  timer.unref()
}
