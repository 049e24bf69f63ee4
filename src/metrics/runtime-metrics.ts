import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks'
import { Counter, Gauge, type Registry } from 'prom-client'

/** How often the event loop's delay is sampled: a process that has nothing to do is woken as often. */
const RESOLUTION_MS = 20
const NS_PER_SECOND = 1e9
const US_PER_SECOND = 1e6
const MS_PER_SECOND = 1_000

/** What the process itself is like, with the names that prom-client's default metrics have, each labelled `worker`. */
export class RuntimeMetrics {
  readonly #delay: IntervalHistogram

  /** @param worker a worker's slot, or `primary` */
  constructor(registry: Registry, worker: string) {
    this.#delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
    this.#delay.enable()
    const labelNames = ['worker'] as const
    const common = { labelNames, registers: [registry] }
    // While a worker is being replaced there are two of the same slot: the larger value counts.
    const gauge = (name: string, help: string, read: () => number) =>
      new Gauge({
        ...{ ...common, name, help, aggregator: 'max' as const },
        collect() {
          this.set({ worker }, read())
        },
      })
    gauge('nodejs_eventloop_lag_p50_seconds', 'Median delay of the event loop since the last scrape.', () =>
      this.#lag(this.#delay.percentile(50)),
    )
    gauge('nodejs_eventloop_lag_p99_seconds', 'Delay of the event loop in the worst 1 %, since the last scrape.', () =>
      this.#lag(this.#delay.percentile(99)),
    )
    // Collected after the two above, in the order of registration.
    gauge('nodejs_eventloop_lag_max_seconds', 'Longest delay of the event loop since the last scrape.', () => {
      const longest = this.#lag(this.#delay.max)
      this.#delay.reset()
      return longest
    })
    gauge('process_resident_memory_bytes', 'Resident memory of the process.', () => process.memoryUsage.rss())
    const startedAt = Date.now() / MS_PER_SECOND - process.uptime()
    gauge('process_start_time_seconds', 'When the process started, in seconds since the epoch.', () => startedAt)
    let counted = 0
    new Counter({
      ...{ ...common, name: 'process_cpu_seconds_total', help: 'Processor time of the process, user and system.' },
      collect() {
        const { user, system } = process.cpuUsage()
        const total = (user + system) / US_PER_SECOND
        this.inc({ worker }, total - counted)
        counted = total
      },
    })
  }

  /** Stops sampling. */
  close(): void {
    this.#delay.disable()
  }

  // The histogram holds the time between two samples; without any it holds extremes.
  #lag(intervalNs: number): number {
    if (this.#delay.count === 0) return 0
    return Math.max(0, intervalNs / NS_PER_SECOND - RESOLUTION_MS / MS_PER_SECOND)
  }
}
