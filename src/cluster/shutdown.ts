import cluster from 'node:cluster'
import { once } from 'node:events'
import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import type { Logger } from 'pino'

/** Requests in flight are answered within this, or not at all. */
export const SHUTDOWN_TIMEOUT_MS = 10_000
/** The same, where nothing that is written is kept. */
export const END_TIMEOUT_MS = 1_000

/**
 * Stops a serving process on SIGTERM and SIGINT: no new connections, requests in flight answered, database closed.
 * @param started resolves when it listens, or cannot: a worker that closes its server before the primary has said which
 *   is ended by Node itself, with a stack
 * @param afterwards called when all of that is done
 * @returns what stops it for another reason, with an exit code
 */
export function stopOnSignals(
  app: NestFastifyApplication,
  logger: Logger,
  started: Promise<void>,
  afterwards: () => Promise<void>,
): (exitCode: number) => void {
  const endConnections = connectionEnder(app.getHttpServer())
  let isStopping = false
  const stop = (exitCode: number) => {
    if (isStopping) return
    isStopping = true
    const timeoutMs = exitCode === 0 ? SHUTDOWN_TIMEOUT_MS : END_TIMEOUT_MS
    const timer = setTimeout(() => {
      logger.error({ timeoutMs }, 'requests in flight were not answered in time')
      process.exit(1)
    }, timeoutMs)
    endConnections()
    void started
      .then(() => close(app))
      .then(afterwards)
      .then(
        () => {
          clearTimeout(timer)
          process.exit(exitCode)
        },
        (error: unknown) => {
          logger.error({ err: error }, 'stopping failed')
          process.exit(1)
        },
      )
  }
  const stopFor = (signal: NodeJS.Signals) => {
    if (!isStopping) logger.info({ signal }, 'stopping')
    stop(0)
  }
  process.on('SIGTERM', stopFor)
  process.on('SIGINT', stopFor)
  return stop
}

async function close(app: NestFastifyApplication): Promise<void> {
  await app.close()
  const { worker } = cluster
  if (!worker?.isConnected()) return
  // The primary may have handed over a connection before it heard that this worker listens no more. It confirms the
  // goodbye on the same channel, so by then every such connection has come, and has been given back to the others.
  const hasLeft = once(process, 'disconnect')
  worker.disconnect()
  await hasLeft
}

/**
 * Answers a function that makes each connection end with the answer that is under way on it. Node closes only those that
 * are idle when the server closes: a client that keeps its connection after the last answer would keep the process.
 */
function connectionEnder(server: Server): () => void {
  // By connection, not a set of answers: V8 links each table that such a set has outgrown to the next, and once one of them
  // is old, what the others held is garbage that no scavenge collects. That was a sixth of a PUT.
  const underWay = new Map<Socket, ServerResponse | null>()
  let isEnding = false
  server.on('connection', (socket) => {
    underWay.set(socket, null)
    socket.once('close', () => underWay.delete(socket))
  })
  server.on('request', ({ socket }, response: ServerResponse) => {
    // Of several that were asked for at once, the last: its head ends the connection, and not the answers before it.
    underWay.set(socket, response)
    response.once('close', () => {
      if (underWay.get(socket) !== response) return
      underWay.set(socket, null)
      // This answer's head may have gone out before the end was known.
      if (isEnding) socket.destroySoon()
    })
  })
  return () => {
    isEnding = true
    for (const response of underWay.values()) {
      if (response && !response.headersSent) response.setHeader('connection', 'close')
    }
  }
}
