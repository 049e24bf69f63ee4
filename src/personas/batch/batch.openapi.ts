import { applyDecorators } from '@nestjs/common'
import { ApiBody, ApiConsumes, ApiExtraModels, ApiOperation, ApiResponse } from '@nestjs/swagger'
import {
  ApiActor,
  ApiBatchProblems,
  ApiDatabaseProblems,
  ApiIdempotencyKey,
  ApiPrefer,
  responseHeaders,
} from '../../http/openapi.js'
import { BatchDto, CreateOperationDto, DeleteOperationDto, MAX_OPERATIONS, UpdateOperationDto } from './batch.dto.js'
import { BatchResource } from './batch.resource.js'
import { MOST_RESULT_BYTES } from './run-batch.js'

const MEGABYTE = 1_048_576

export const DescribeWriteBatch = () =>
  applyDecorators(
    ApiOperation({
      summary: 'Create, update and delete several personas',
      description:
        `1 to ${MAX_OPERATIONS} operations in their order, committed together. An atomic batch is refused as a whole ` +
        'by its first operation that is refused, whose `index` the problem names; in the mode `each` such an ' +
        'operation has a problem for a result, and the others are carried out. Results of more than ' +
        `${MOST_RESULT_BYTES / MEGABYTE} MiB together are refused with 413, and nothing is carried out.`,
    }),
    ApiExtraModels(CreateOperationDto, UpdateOperationDto, DeleteOperationDto),
    ApiIdempotencyKey(),
    ApiActor(),
    ApiPrefer(),
    ApiConsumes('application/json'),
    ApiBody({ required: true, type: BatchDto }),
    ApiResponse({
      status: 200,
      description: 'What became of each operation.',
      type: BatchResource,
      headers: responseHeaders('X-Ignored-Fields', 'Preference-Applied', 'Idempotency-Replayed'),
    }),
    ApiBatchProblems(),
    ApiDatabaseProblems(),
  )
