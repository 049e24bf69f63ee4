import type { FastifyInstance } from 'fastify'
import { Histogram, type Registry } from 'prom-client'
import { isEventStream } from '../http/event-stream.js'

/** From a read out of memory to a write that waits for the lock. */
const BUCKETS_SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]
const MS_PER_SECOND = 1_000

/** A client chooses paths and methods: those that the service does not have are one each. */
const UNKNOWN_ROUTE = 'unknown'
const OTHER_METHOD = 'other'
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** The requests that this process has answered. */
export class HttpMetrics {
  readonly #durations: Histogram<'method' | 'route' | 'status'>

  constructor(registry: Registry) {
    this.#durations = new Histogram({
      name: 'gator_http_request_duration_seconds',
      help: 'From the arrival of a request to the last byte of its answer, by method, route and status.',
      labelNames: ['method', 'route', 'status'],
      buckets: BUCKETS_SECONDS,
      registers: [registry],
    })
  }

  /** Counts every request that Fastify answers, but for streams, which end when the client likes. */
  watch(fastify: FastifyInstance): void {
    fastify.addHook('onResponse', (request, reply, done) => {
      if (isEventStream(reply)) return done()
      const labels = {
        method: METHODS.has(request.method) ? request.method : OTHER_METHOD,
        route: request.routeOptions.url ?? UNKNOWN_ROUTE,
        status: reply.statusCode,
      }
      this.#durations.observe(labels, reply.elapsedTime / MS_PER_SECOND)
      done()
    })
  }
}
