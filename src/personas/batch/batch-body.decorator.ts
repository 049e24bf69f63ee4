import { createParamDecorator, type ExecutionContext } from '@nestjs/common'
import { incomingBodyOf } from '../../http/resource-body.decorator.js'
import { readBatch } from './read-batch.js'
import type { Batch } from './run-batch.js'

/** A parameter that takes the request's body as a batch. */
export const BatchBody = createParamDecorator((_data: unknown, context: ExecutionContext): Batch =>
  readBatch(incomingBodyOf(undefined, context)),
)
