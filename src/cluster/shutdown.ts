import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import type { Logger } from 'pino'

/** Requests in flight are answered within this, or not at all. */
export const SHUTDOWN_TIMEOUT_MS = 10_000

/** Stops a serving process on SIGTERM and SIGINT: no new connections, requests in flight answered, database closed. */
export function stopOnSignals(app: NestFastifyApplication, logger: Logger): void {
  let isStopping = false
  const stop = (signal: NodeJS.Signals) => {
    if (isStopping) return
    isStopping = true
    logger.info({ signal }, 'stopping')
    const timer = setTimeout(() => {
      logger.error({ timeoutMs: SHUTDOWN_TIMEOUT_MS }, 'requests in flight were not answered in time')
      process.exit(1)
    }, SHUTDOWN_TIMEOUT_MS)
    app.close().then(
      () => {
        clearTimeout(timer)
        process.exit(0)
      },
      (error: unknown) => {
        logger.error({ err: error }, 'stopping failed')
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}
