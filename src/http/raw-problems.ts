import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { pathOf, setCommonHeaders } from './fastify-hooks.js'
import { plainProblem, PROBLEM_MEDIA_TYPE } from './problem.js'

const BAD_REQUEST = 400
const REQUEST_TIMEOUT = 408
const HEADERS_TOO_LARGE = 431

/** Answers what Fastify's router refuses before any hook runs: a path that is not valid percent-encoding. */
export function frameworkErrorAnswer(worker: number | undefined) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    setCommonHeaders(request, reply, worker)
    const problem = { ...plainProblem(error.statusCode ?? BAD_REQUEST, error.message), instance: pathOf(request.url) }
    void reply.code(problem.status).type(PROBLEM_MEDIA_TYPE).send(JSON.stringify(problem))
  }
}

/** Answers what Node's parser refuses before there is a request: no HTTP, too many headers, too slow. */
export function clientErrorAnswer(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const problem = plainProblem(statusOfClientError(error.code), 'The request is not valid HTTP.')
  const body = JSON.stringify(problem)
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.title}\r\ncontent-type: ${PROBLEM_MEDIA_TYPE}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nx-request-id: ${randomUUID()}\r\nconnection: close\r\n\r\n${body}`,
  )
}

function statusOfClientError(code: string | undefined): number {
  if (code === 'HPE_HEADER_OVERFLOW') return HEADERS_TOO_LARGE
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? REQUEST_TIMEOUT : BAD_REQUEST
}
