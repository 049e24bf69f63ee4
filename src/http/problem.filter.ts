import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { WriteRefusedError } from '../database/database-errors.js'
import { errorForLog } from '../logging/error-for-log.js'
import { LOGGER } from '../logging/logging.module.js'
import { noteProblem, pathOf } from './fastify-hooks.js'
import { PROBLEM_MEDIA_TYPE } from './problem.js'
import { problemAnswerOf } from './problem-table.js'

const FIRST_SERVER_ERROR = 500

/**
 * The one place where an error becomes an answer. Server errors are logged with their stack, under the request's id. A
 * write that was refused is no error of anybody's, and comes by the thousand under overload: the line of its request
 * says enough.
 */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

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
    if (reply.sent) return
    void reply
      .code(problem.status)
      .headers(headers)
      .type(PROBLEM_MEDIA_TYPE)
      .serializer((document) => JSON.stringify(document))
      .send({ ...problem, instance: pathOf(request.url) })
  }
}
