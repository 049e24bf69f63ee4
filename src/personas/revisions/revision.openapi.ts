import { applyDecorators } from '@nestjs/common'
import { ApiOperation, ApiParam, ApiResponse } from '@nestjs/swagger'
import {
  ApiActor,
  ApiDatabaseProblems,
  ApiIdempotencyKey,
  ApiIfMatch,
  ApiNotFound,
  ApiProblem,
  ApiRevisionNotFound,
  ApiStale,
  ApiStorageFull,
  ApiUnreadableBody,
  responseHeaders,
} from '../../http/openapi.js'
import { ApiPersona, ApiPersonaId } from '../persona.openapi.js'
import { JSON_PATCH } from './revision.presenter.js'
import { RevisionResource, RevisionWithStateResource } from './revision.resource.js'

const ApiVersion = (name = 'version') =>
  ApiParam({ name, description: 'A version of the persona.', schema: { type: 'integer', minimum: 1, example: 2 } })

export const DescribeListRevisions = () =>
  applyDecorators(
    ApiOperation({ summary: 'List the revisions of a persona, newest first' }),
    ApiPersonaId(),
    ApiResponse({
      status: 200,
      description: 'One page.',
      type: RevisionResource,
      isArray: true,
      headers: responseHeaders('Link'),
    }),
    ApiNotFound(),
    ApiProblem({
      type: 'urn:gator-personas:problem:validation-failed',
      title: 'Validation failed',
      status: 422,
      detail: 'limit must be a whole number from 1 to 100.',
      instance: '/api/v1/personas/019aaf3e-8f63-7b12-9d3c-2f1f5d0c8a11/revisions',
      errors: [{ pointer: '/limit', detail: 'must be a whole number from 1 to 100' }],
    }),
    ApiDatabaseProblems(),
  )

export const DescribeGetRevision = () =>
  applyDecorators(
    ApiOperation({
      summary: 'Read a revision',
      description: 'The last one of this version, where generations or writes past the service left it as it was.',
    }),
    ApiPersonaId(),
    ApiVersion(),
    ApiResponse({
      status: 200,
      description: 'The revision, with the whole persona after it.',
      type: RevisionWithStateResource,
      headers: responseHeaders(),
    }),
    ApiRevisionNotFound(),
    ApiDatabaseProblems(),
  )

export const DescribeDiffRevisions = () =>
  applyDecorators(
    ApiOperation({
      summary: 'Compare two revisions',
      description: 'The JSON patch (RFC 6902) that makes the second state of the first.',
    }),
    ApiPersonaId(),
    ApiVersion(),
    ApiVersion('other'),
    ApiResponse({
      status: 200,
      description: 'The patch; empty when nothing differs.',
      headers: responseHeaders(),
      content: {
        [JSON_PATCH]: { schema: { type: 'array', items: { $ref: '#/components/schemas/PatchOperationResource' } } },
      },
    }),
    ApiRevisionNotFound(),
    ApiDatabaseProblems(),
  )

export const DescribeRestoreRevision = () =>
  applyDecorators(
    ApiOperation({
      summary: 'Restore a revision',
      description: 'Makes every writable field what it was then. A change like any other, with a version of its own.',
    }),
    ApiPersonaId(),
    ApiVersion(),
    ApiIfMatch(),
    ApiIdempotencyKey(),
    ApiActor(),
    ApiPersona(200, 'The persona after it.', 'X-Merged-Base', 'Idempotency-Replayed'),
    ApiRevisionNotFound(),
    ApiProblem({
      type: 'urn:gator-personas:problem:idempotency-key-reused',
      title: 'Idempotency key reused',
      status: 422,
      detail: 'This Idempotency-Key was used for a request with another method, path, If-Match or body.',
      instance: '/api/v1/personas/019aaf3e-8f63-7b12-9d3c-2f1f5d0c8a11/revisions/2/restore',
    }),
    ApiStale(),
    ApiUnreadableBody(),
    ApiStorageFull(),
    ApiDatabaseProblems(),
  )
