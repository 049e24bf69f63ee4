import type { Logger } from 'pino'
import type { Settings } from '../config/settings.js'
import { createApp } from '../create-app.js'
import { HealthService } from '../health/health.service.js'
import { listenFailure } from './start-failure.js'
import { stopOnSignals } from './shutdown.js'

/** Serves in this process until a signal stops it. */
export async function serve(settings: Settings, logger: Logger, worker?: number): Promise<void> {
  const app = await createApp({ settings, logger, worker })
  stopOnSignals(app, logger)
  // The first query costs 200 ms of a processor: before anyone waits for its answer. A database that is away is logged.
  await app.get(HealthService).readiness()
  const { host, port } = settings.server
  try {
    await app.listen({ host, port })
  } catch (error) {
    throw listenFailure(error, host, port)
  }
  logger.info({ url: await app.getUrl() }, 'listening')
}
