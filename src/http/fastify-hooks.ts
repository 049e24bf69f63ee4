import { METHODS } from 'node:http'
import { NotFoundException } from '@nestjs/common'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { keyOf } from '../access/callers.js'
import { isEventStream } from './event-stream.js'
import { MethodNotAllowedError } from './method-not-allowed.error.js'

/** The methods that a path may have, in the order of `Allow`. */
const OFFERED_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const
/** Every method that Node parses and hands to a request's handler. */
const KNOWN_METHODS = METHODS.filter((method) => method !== 'CONNECT')
const NO_CONTENT = 204
const FIRST_SERVER_ERROR = 500

/** Node itself would answer an unknown `Expect` with a bare 417; a server may ignore it (RFC 9110, section 10.1.1). */
export function ignoreExpectations(fastify: FastifyInstance): void {
  fastify.server.on('checkExpectation', (request, response) => fastify.server.emit('request', request, response))
}

/**
 * Node itself would leave out all headers beyond a thousand, without a word: among them what a proxy puts behind those of its
 * client, by which it is known. How large they are together is bounded.
 */
export function keepAllHeaders(fastify: FastifyInstance): void {
  fastify.server.maxHeadersCount = 0
}

/** The path of a request, without its query string. */
export function pathOf(url: string): string {
  return url.split('?')[0] ?? url
}

/** Sets the headers that every answer carries. */
export function setCommonHeaders(request: FastifyRequest, reply: FastifyReply, worker: number | undefined): void {
  reply.header('x-request-id', request.id)
  if (worker !== undefined) reply.header('x-worker', String(worker))
}

const problems = new WeakMap<FastifyReply, string>()

/** Has the line of the request say which problem it was answered with. */
export function noteProblem(reply: FastifyReply, type: string): void {
  problems.set(reply, type)
}

/** One line a request. Bodies and query strings are never logged. */
export function addRequestLog(fastify: FastifyInstance, logger: Logger): void {
  fastify.addHook('onResponse', (request, reply, done) => {
    const line = {
      requestId: request.id,
      method: request.method,
      route: request.routeOptions.url ?? null,
      status: reply.statusCode,
      durationMs: Math.round(reply.elapsedTime * 1000) / 1000,
      problem: problems.get(reply),
      key: keyOf(request)?.id,
    }
    if (reply.statusCode >= FIRST_SERVER_ERROR) logger.warn(line, 'request failed')
    else logger.info(line, isEventStream(reply) ? 'a stream of events has ended' : 'request')
    done()
  })
}

/**
 * Answers an unknown path with 404, OPTIONS with the full `Allow`, and every other method that a known path does not
 * have with 405: each before the body is parsed, since what that holds does not matter then. Must be registered before
 * the routes (it watches them being added), and finished with the function that it answers after them.
 */
export function addMethodFallbacks(fastify: FastifyInstance): () => void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    done(request.is404 ? new NotFoundException(`There is nothing at ${pathOf(request.url)}.`) : undefined)
  })
  for (const method of KNOWN_METHODS) if (!fastify.supportedMethods.includes(method)) fastify.addHttpMethod(method)
  const methodsByUrl = new Map<string, Set<string>>()
  fastify.addHook('onRoute', (route) => {
    // The router takes a path with and without a trailing slash for the same one.
    const url = route.url.replace(/(.)\/$/, '$1')
    const methods = methodsByUrl.get(url) ?? new Set<string>()
    for (const method of [route.method].flat()) methods.add(method)
    methodsByUrl.set(url, methods)
  })
  return () => {
    for (const [url, known] of [...methodsByUrl]) addFallbacksOf(fastify, url, known)
  }
}

function addFallbacksOf(fastify: FastifyInstance, url: string, known: ReadonlySet<string>): void {
  const allow = OFFERED_METHODS.filter((method) => known.has(method) || method === 'OPTIONS').join(', ')
  const others = KNOWN_METHODS.filter((method) => !known.has(method) && method !== 'OPTIONS')
  if (others.length > 0) {
    fastify.route({
      method: others,
      url,
      exposeHeadRoute: false,
      config: { access: 'open' },
      onRequest: (request, _reply, done) => done(new MethodNotAllowedError(request.method, allow)),
      handler: () => undefined,
    })
  }
  if (known.has('OPTIONS')) return
  fastify.route({
    method: 'OPTIONS',
    url,
    config: { access: 'open' },
    handler: (_request, reply) => reply.code(NO_CONTENT).header('allow', allow).send(),
  })
}
