import 'reflect-metadata'
import cluster from 'node:cluster'
import type { Type } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import type { Logger } from 'pino'
import { AppModule, type Measuring } from './app.module.js'
import type { Settings } from './config/settings.js'
import type { OpenDatabase } from './database/database.module.js'
import { openDatabase as openConfiguredDatabase } from './database/open-database.js'
import {
  addMethodFallbacks,
  addRequestLog,
  hostFault,
  ignoreExpectations,
  setCommonHeaders,
} from './http/fastify-hooks.js'
import { registerJsonBodyParser } from './http/json-body.js'
import { clientErrorAnswer, frameworkErrorAnswer } from './http/raw-problems.js'
import { requestIdOf } from './http/request-id.js'
import { RESPONSE_HEADERS } from './http/openapi.js'
import { serveOpenApi } from './http/swagger.js'
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

// A client that sends a body this slowly holds a connection, and a shutdown, for nothing.
const REQUEST_TIMEOUT_MS = 30_000
// An id that is too long is an unknown one (404), not a request that could not be understood.
const MAX_PATH_PARAMETER = 65_536

/** What a page may read of an answer: every header that the API documents. */
const EXPOSED_HEADERS = Object.keys(RESPONSE_HEADERS)

/** Builds the application, ready to serve (`inject` works); listening is up to the caller. */
export async function createApp(options: AppOptions): Promise<NestFastifyApplication> {
  const { settings, logger, worker, openDatabase = openConfiguredDatabase, controllers = [] } = options
  const adapter = new FastifyAdapter({
    skipMiddie: true,
    bodyLimit: settings.server.bodyLimitBytes,
    genReqId: requestIdOf,
    // A request on a connection that is still open is answered while the others are being finished.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Answered here, with a problem document, and not by Node.
    http: { requireHostHeader: false },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PATH_PARAMETER },
    frameworkErrors: frameworkErrorAnswer(worker),
    clientErrorHandler: clientErrorAnswer,
  })
  const fastify = adapter.getInstance()
  // The adapter runs this hook before every other, so that what CORS answers has the headers too.
  adapter.setOnRequestHook((request, reply, done) => {
    setCommonHeaders(request, reply, worker)
    done(hostFault(request))
  })
  ignoreExpectations(fastify)
  addRequestLog(fastify, logger)
  const measuring = measure(options)
  measuring.metrics.http.watch(fastify)
  const finishMethodFallbacks = addMethodFallbacks(fastify)
  registerJsonBodyParser(fastify)

  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.forRoot(settings, logger, openDatabase, measuring, controllers),
    adapter,
    {
      bodyParser: false,
      logger: new NestLogger(logger),
      abortOnError: false,
    },
  )
  if (settings.server.corsOrigins.length > 0) enableCors(app, settings.server.corsOrigins)
  serveOpenApi(app)
  await app.init()
  finishMethodFallbacks()
  await fastify.ready()
  return app
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
