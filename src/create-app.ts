import 'reflect-metadata'
import cluster from 'node:cluster'
import type { Type } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import type { Logger } from 'pino'
import { trustIn } from './access/addresses.js'
import { addGate, type RateLimit } from './access/gate.js'
import { KeyRing } from './access/key-ring.js'
import { LocalLimiter, WorkerLimiter } from './access/limits/rate-limiter.js'
import { AppModule, type Measuring } from './app.module.js'
import type { Settings } from './config/settings.js'
import type { OpenDatabase } from './database/database.module.js'
import { openDatabase as openConfiguredDatabase } from './database/open-database.js'
import {
  addMethodFallbacks,
  addRequestLog,
  ignoreExpectations,
  keepAllHeaders,
  setCommonHeaders,
} from './http/fastify-hooks.js'
import { addHostCheck } from './http/host-check.js'
import { HttpAdapter } from './http/http-adapter.js'
import { registerJsonBodyParser } from './http/json-body.js'
import { clientErrorAnswer, frameworkErrorAnswer } from './http/raw-problems.js'
import { requestIdOf } from './http/request-id.js'
import { RESPONSE_HEADERS } from './http/openapi.js'
import { securityHeaders } from './http/security-headers.js'
import { openDocumentation, serveOpenApi } from './http/swagger.js'
import { NestLogger } from './logging/logger.js'
import { LocalGatherer, WorkerGatherer } from './metrics/gatherer.js'
import { ProcessMetrics } from './metrics/process-metrics.js'
import { RootMetrics } from './metrics/root-metrics.js'

export interface AppOptions {
  readonly settings: Settings
  readonly logger: Logger
  /** The slot of this worker; undefined when it is the only process. */
  readonly worker?: number | undefined
  /** What this process measures besides, when it is the only one. */
  readonly rootMetrics?: RootMetrics | undefined
  /** Another way to open the database than the one that the settings name. */
  readonly openDatabase?: OpenDatabase
  /** Controllers beside the product's own: a benchmark has a route that it holds the others against. */
  readonly controllers?: readonly Type[]
}

/** Node's own limit, which a setting of Node's could change. */
const MAX_HEADER_BYTES = 16_384
/** How late a client that is too slow is found, at most: Node looks at all connections so often. */
const SLOW_CLIENTS_EVERY_MS = 1_000
// An id that is too long is an unknown one (404), not a request that could not be understood.
const MAX_PATH_PARAMETER = 65_536

/** What a page may read of an answer: every header that the API documents. */
const EXPOSED_HEADERS = Object.keys(RESPONSE_HEADERS)

/** Builds the application, ready to serve (`inject` works); listening is up to the caller. */
export async function createApp(options: AppOptions): Promise<NestFastifyApplication> {
  const { settings, logger, worker, openDatabase = openConfiguredDatabase, controllers = [] } = options
  const adapter = createAdapter(settings, worker)
  const fastify = adapter.getInstance()
  // The adapter runs this hook before every other, so that what CORS answers has the headers too.
  adapter.setOnRequestHook((request, reply, done) => {
    setCommonHeaders(request, reply, worker)
    done()
  })
  ignoreExpectations(fastify)
  keepAllHeaders(fastify)
  addRequestLog(fastify, logger)
  const measuring = measure(options)
  measuring.metrics.http.watch(fastify)
  addHostCheck(fastify, settings.access.allowedHosts)
  const finishMethodFallbacks = addMethodFallbacks(fastify)
  openDocumentation(fastify)
  const keys = new KeyRing(settings, logger)
  addGate(fastify, keys, rateLimitOf(settings))
  registerJsonBodyParser(fastify)

  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.forRoot(settings, logger, openDatabase, measuring, keys, controllers),
    adapter,
    {
      bodyParser: false,
      logger: new NestLogger(logger),
      abortOnError: false,
    },
  )
  tellBrowsers(app, settings)
  serveOpenApi(app)
  await app.init()
  finishMethodFallbacks()
  await fastify.ready()
  return app
}

function createAdapter({ server, access }: Settings, worker: number | undefined): HttpAdapter {
  return new HttpAdapter({
    skipMiddie: true,
    bodyLimit: server.bodyLimitBytes,
    genReqId: requestIdOf,
    trustProxy: access.trustedProxies.length > 0 && trustIn(access.trustedProxies),
    // A request on a connection that is still open is answered while the others are being finished.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // A client that sends its request slowly holds a connection, and a shutdown, for nothing.
    requestTimeout: server.requestTimeoutMs,
    http: {
      // Answered here, with a problem document, and not by Node.
      requireHostHeader: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: server.headersTimeoutMs,
      connectionsCheckingInterval: SLOW_CLIENTS_EVERY_MS,
    },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PATH_PARAMETER },
    frameworkErrors: frameworkErrorAnswer(worker),
    clientErrorHandler: clientErrorAnswer,
  })
}

function rateLimitOf({ server, access }: Settings): RateLimit | null {
  const { rateLimitPerMinute: perMinute } = access
  if (perMinute === 0) return null
  const limiter = cluster.isWorker ? new WorkerLimiter(perMinute, server.workers, process) : new LocalLimiter(perMinute)
  return { perMinute, limiter }
}

/** What pages in a browser may do: their own origin everything, others what CORS_ORIGINS says, and nothing else. */
function tellBrowsers(app: NestFastifyApplication, { server, access }: Settings): void {
  const { corsOrigins } = server
  app.useSecurityHeaders(securityHeaders(access.hstsMaxAgeSeconds))
  // Some requests that change something need no permission by CORS: those without a body, which a form can send too.
  if (!corsOrigins.includes('*')) app.enableCsrfProtection({ trustedOrigins: [...corsOrigins] })
  if (corsOrigins.length > 0) enableCors(app, corsOrigins)
}

function measure({ settings, worker, rootMetrics }: AppOptions): Measuring {
  const metrics = new ProcessMetrics(settings, worker)
  if (cluster.isWorker) return { metrics, gatherer: new WorkerGatherer(metrics, process) }
  const root = rootMetrics ?? new RootMetrics(settings, 1)
  return { metrics, gatherer: new LocalGatherer(metrics, root) }
}

function enableCors(app: NestFastifyApplication, origins: readonly string[]): void {
  app.enableCors({
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    // OPTIONS goes on to the route that answers it with Allow, be it a preflight or not.
    preflightContinue: true,
    strictPreflight: false,
    exposedHeaders: EXPOSED_HEADERS,
  })
}
