import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { AccessRefusedError } from '../access/access.errors.js'
import { bareAddress } from '../access/addresses.js'
import { WriteRefusedError } from '../database/database-errors.js'
import { errorForLog } from '../logging/error-for-log.js'
import { LOGGER } from '../logging/logging.module.js'
import { ProcessMetrics } from '../metrics/process-metrics.js'
import { noteProblem, pathOf } from './fastify-hooks.js'
import { PROBLEM_MEDIA_TYPE } from './problem.js'
import { problemAnswerOf } from './problem-table.js'

const FIRST_SERVER_ERROR = 500

/**
 * The one place where an error becomes an answer. Server errors are logged with their stack, under the request's id. A
 * write that was refused is no error of anybody's, and comes by the thousand under overload: the line of its request
 * says enough. Whoever was refused for who they are has a line of their own, without the key that they have shown.
 */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(ProcessMetrics) private readonly metrics: ProcessMetrics,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp()
    const request = http.getRequest<FastifyRequest>()
    const reply = http.getResponse<FastifyReply>()
    const { problem, headers } = problemAnswerOf(error)
    noteProblem(reply, problem.type)
    if (problem.status === FIRST_SERVER_ERROR) {
      this.logger.error({ requestId: request.id, err: errorForLog(error) }, 'unforeseen error')
    } else if (problem.status > FIRST_SERVER_ERROR && !(error instanceof WriteRefusedError)) {
      this.logger.warn({ requestId: request.id, err: errorForLog(error) }, problem.detail)
    }
    if (error instanceof AccessRefusedError) this.#noteRefusal(error, request)
    if (reply.sent) return
    void reply
      .code(problem.status)
      .headers(headers)
      .type(PROBLEM_MEDIA_TYPE)
      .serializer((document) => JSON.stringify(document))
      .send({ ...problem, instance: pathOf(request.url) })
  }

  #noteRefusal({ reason, keyId }: AccessRefusedError, request: FastifyRequest): void {
    this.metrics.access.refused(reason)
    const { id: requestId, ip, method, routeOptions } = request
    this.logger.warn(
      { requestId, reason, key: keyId, address: bareAddress(ip), method, route: routeOptions.url ?? null },
      'access refused',
    )
  }
}
