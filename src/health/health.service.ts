import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common'
import type { Logger } from 'pino'
import { Database } from '../database/database.js'
import { errorForLog } from '../logging/error-for-log.js'
import { LOGGER } from '../logging/logging.module.js'
import { packageInfo } from '../package-root.js'
import { Preconditions } from './preconditions.js'
import type { HealthReport, HealthResource, ReadinessResource } from './health.resource.js'

// An orchestrator's own limit is usually larger; a database that needs longer than this is not healthy.
const PROBE_TIMEOUT_MS = 2_000

/** Tells the truth about this process: nothing is remembered, the database is asked each time. */
@Injectable()
export class HealthService implements BeforeApplicationShutdown {
  private isShuttingDown = false
  private readonly reads = new Probe(
    () => this.database.probe(),
    (error) => this.logger.warn({ err: errorForLog(error) }, 'the database does not answer a read'),
  )
  private readonly writes = new Probe(
    () => this.database.probeWrite(),
    (error) => this.logger.warn({ err: errorForLog(error) }, 'the database does not answer a write'),
  )

  constructor(
    private readonly database: Database,
    private readonly preconditions: Preconditions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  beforeApplicationShutdown(): void {
    this.isShuttingDown = true
  }

  async report(): Promise<HealthReport<HealthResource>> {
    const start = performance.now()
    const [read, write] = await Promise.all([this.reads.state(), this.writes.state()])
    const isHealthy = read && write
    const state = stateOf(isHealthy)
    const body: HealthResource = {
      status: state,
      database: state,
      timestamp: new Date().toISOString(),
      version: packageInfo.version,
      details: {
        provider: this.database.provider,
        read: stateOf(read),
        write: stateOf(write),
        latency_ms: Math.round((performance.now() - start) * 100) / 100,
        uptime_seconds: Math.round(process.uptime()),
      },
    }
    return { isHealthy, body }
  }

  async readiness(): Promise<HealthReport<ReadinessResource>> {
    const reason = this.isShuttingDown ? 'shutting down' : await this.unreadiness()
    if (reason === undefined) return { isHealthy: true, body: { status: 'ready' } }
    return { isHealthy: false, body: { status: 'not ready', reason } }
  }

  private async unreadiness(): Promise<string | undefined> {
    if (!(await this.reads.state())) return 'the database does not answer'
    try {
      return await inTime(this.preconditions.fault())
    } catch (error) {
      this.logger.warn({ err: errorForLog(error) }, 'readiness cannot be told')
      return 'the disk or the migrations cannot be looked at'
    }
  }
}

function stateOf(isHealthy: boolean): 'healthy' | 'unhealthy' {
  return isHealthy ? 'healthy' : 'unhealthy'
}

/** Asks one question at a time: whoever comes while it is under way waits for the same answer. */
class Probe {
  #underWay: Promise<void> | undefined

  constructor(
    private readonly ask: () => Promise<void>,
    private readonly onFailure: (error: unknown) => void,
  ) {}

  /** Whether the answer comes in time. */
  async state(): Promise<boolean> {
    this.#underWay ??= this.ask().finally(() => (this.#underWay = undefined))
    try {
      await inTime(this.#underWay)
      return true
    } catch (error) {
      this.onFailure(error)
      return false
    }
  }
}

/** What a promise answers; it is rejected when that takes longer than a probe may. */
async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_resolve, reject) => {
    const late = () => reject(new Error(`no answer within ${PROBE_TIMEOUT_MS} ms`))
    timer = setTimeout(late, PROBE_TIMEOUT_MS)
  })
  try {
    return await Promise.race([answer, deadline])
  } finally {
    clearTimeout(timer)
  }
}
