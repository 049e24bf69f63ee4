import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common'
import type { Logger } from 'pino'
import { Database } from '../database/database.js'
import { errorForLog } from '../logging/error-for-log.js'
import { LOGGER } from '../logging/logging.module.js'
import { packageInfo } from '../package-root.js'
import type { HealthReport, HealthResource, ReadinessResource } from './health.resource.js'

// An orchestrator's own limit is usually larger; a database that needs longer than this is not healthy.
const PROBE_TIMEOUT_MS = 2_000

/** Tells the truth about this process: nothing is remembered, the database is asked each time. */
@Injectable()
export class HealthService implements BeforeApplicationShutdown {
  private isShuttingDown = false

  constructor(
    private readonly database: Database,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  beforeApplicationShutdown(): void {
    this.isShuttingDown = true
  }

  async report(): Promise<HealthReport<HealthResource>> {
    const { isHealthy, latencyMs } = await this.probe()
    const state = isHealthy ? 'healthy' : 'unhealthy'
    const body: HealthResource = {
      status: state,
      database: state,
      timestamp: new Date().toISOString(),
      version: packageInfo.version,
      details: {
        provider: this.database.provider,
        latency_ms: Math.round(latencyMs * 100) / 100,
        uptime_seconds: Math.round(process.uptime()),
      },
    }
    return { isHealthy, body }
  }

  async readiness(): Promise<HealthReport<ReadinessResource>> {
    if (this.isShuttingDown) return { isHealthy: false, body: { status: 'not ready', reason: 'shutting down' } }
    const { isHealthy } = await this.probe()
    if (!isHealthy) return { isHealthy, body: { status: 'not ready', reason: 'the database does not answer' } }
    return { isHealthy, body: { status: 'ready' } }
  }

  private async probe(): Promise<{ isHealthy: boolean; latencyMs: number }> {
    const start = performance.now()
    const deadline = new AbortController()
    try {
      await Promise.race([this.database.probe(), rejectAfter(PROBE_TIMEOUT_MS, deadline.signal)])
      return { isHealthy: true, latencyMs: performance.now() - start }
    } catch (error) {
      this.logger.warn({ err: errorForLog(error) }, 'the database does not answer')
      return { isHealthy: false, latencyMs: performance.now() - start }
    } finally {
      deadline.abort()
    }
  }
}

function rejectAfter(timeoutMs: number, signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
    signal.addEventListener('abort', () => clearTimeout(timer))
  })
}
