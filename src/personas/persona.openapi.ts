import { applyDecorators, type Type } from '@nestjs/common'
import {
  ApiBody,
  ApiConsumes,
  ApiExtraModels,
  ApiOperation,
  ApiParam,
  ApiResponse,
  getSchemaPath,
} from '@nestjs/swagger'
import {
  ApiActor,
  ApiBodyProblems,
  ApiDatabaseProblems,
  ApiIdempotencyKey,
  ApiIfMatch,
  ApiIfNoneMatch,
  ApiNotFound,
  ApiPrefer,
  ApiProblem,
  ApiStale,
  ApiStorageFull,
  ApiUnreadableBody,
  type ResponseHeaderName,
  responseHeaders,
} from '../http/openapi.js'
import { CountGenerationsDto, CreatePersonaDto, PatchPersonaDto, UpdatePersonaDto } from './dto/persona.dto.js'
import { PersonaResource } from './dto/persona.resource.js'

export const ApiPersonaId = () =>
  ApiParam({
    name: 'id',
    description: 'UUID in any case, with or without dashes.',
    schema: { type: 'string', example: '019aaf3e-8f63-7b12-9d3c-2f1f5d0c8a11' },
  })

export const ApiPersona = (status: number, description: string, ...headers: ResponseHeaderName[]) =>
  ApiResponse({ status, description, type: PersonaResource, headers: responseHeaders('ETag', ...headers) })

function ApiJsonBody(dto: Type, required: boolean, ...mediaTypes: string[]): MethodDecorator & ClassDecorator {
  return applyDecorators(ApiConsumes(...mediaTypes), ApiBody({ required, type: dto }))
}

const JSON_ONLY = 'application/json'

/** A persona; with `fields`, those of its fields and its id. */
const WHOLE_OR_PART = {
  anyOf: [
    { $ref: getSchemaPath(PersonaResource) },
    { type: 'object', required: ['id'], properties: { id: { type: 'string', format: 'uuid' } } },
  ],
}

export const DescribeCreatePersona = () =>
  applyDecorators(
    ApiOperation({ summary: 'Create a persona' }),
    ApiIdempotencyKey(),
    ApiActor(),
    ApiPrefer(),
    ApiJsonBody(CreatePersonaDto, true, JSON_ONLY),
    ApiPersona(201, 'The new persona.', 'Location', 'X-Ignored-Fields', 'Preference-Applied', 'Idempotency-Replayed'),
    ApiBodyProblems(),
    ApiDatabaseProblems(),
  )

export const DescribeListPersonas = () =>
  applyDecorators(
    ApiOperation({
      summary: 'List personas',
      description:
        'Newest first, page by page with `skip` and a count. With `cursor`, `sort`, `q` or filters: by the cursors in ' +
        '`Link`, at the same cost however deep; a page may then be short, and the list ends where there is no next.',
    }),
    ApiExtraModels(PersonaResource),
    ApiResponse({
      status: 200,
      description: 'One page.',
      schema: { type: 'array', items: WHOLE_OR_PART },
      headers: responseHeaders('X-Total-Count', 'X-Total-Count-Relation', 'Link'),
    }),
    ApiProblem({
      type: 'urn:gator-personas:problem:validation-failed',
      title: 'Validation failed',
      status: 422,
      detail: 'limit must be a whole number from 1 to 100.',
      instance: '/api/v1/personas/',
      errors: [{ pointer: '/limit', detail: 'must be a whole number from 1 to 100' }],
    }),
    ApiDatabaseProblems(),
  )

const ApiBadTime = () =>
  ApiProblem({
    type: 'urn:gator-personas:problem:validation-failed',
    title: 'Validation failed',
    status: 422,
    detail: 'as_of must be a time such as 2026-11-23T05:06:07.089Z.',
    instance: '/api/v1/personas/019aaf3e-8f63-7b12-9d3c-2f1f5d0c8a11',
    errors: [{ pointer: '/as_of', detail: 'must be a time such as 2026-11-23T05:06:07.089Z' }],
  })

export const DescribeGetPersona = () =>
  applyDecorators(
    ApiOperation({ summary: 'Read a persona', description: 'As it is, or as it was at a time.' }),
    ApiPersonaId(),
    ApiIfNoneMatch(),
    ApiResponse({
      status: 200,
      description: 'The persona.',
      schema: WHOLE_OR_PART,
      headers: responseHeaders('ETag'),
    }),
    ApiResponse({
      status: 304,
      description: 'The client has the current representation.',
      headers: responseHeaders('ETag'),
    }),
    ApiNotFound(),
    ApiBadTime(),
    ApiDatabaseProblems(),
  )

export const DescribeUpdatePersona = () =>
  applyDecorators(
    ApiOperation({
      summary: 'Update a persona',
      description: 'Partial: fields that are absent or null stay as they are; `{}` changes nothing.',
    }),
    ApiPersonaId(),
    ApiIfMatch(),
    ApiActor(),
    ApiPrefer(),
    ApiJsonBody(UpdatePersonaDto, true, JSON_ONLY),
    ApiPersona(200, 'The persona after the update.', 'X-Merged-Base', 'X-Ignored-Fields', 'Preference-Applied'),
    ApiNotFound(),
    ApiStale(),
    ApiBodyProblems(),
    ApiDatabaseProblems(),
  )

export const DescribePatchPersona = () =>
  applyDecorators(
    ApiOperation({
      summary: 'Patch a persona',
      description: 'JSON merge patch (RFC 7396): null clears a nullable field, nested objects merge.',
    }),
    ApiPersonaId(),
    ApiIdempotencyKey(),
    ApiIfMatch(),
    ApiActor(),
    ApiPrefer(),
    ApiJsonBody(PatchPersonaDto, true, 'application/merge-patch+json', JSON_ONLY),
    ApiPersona(
      200,
      'The persona after the patch.',
      'X-Merged-Base',
      'X-Ignored-Fields',
      'Preference-Applied',
      'Idempotency-Replayed',
    ),
    ApiNotFound(),
    ApiStale(),
    ApiBodyProblems(),
    ApiDatabaseProblems(),
  )

export const DescribeDeletePersona = () =>
  applyDecorators(
    ApiOperation({
      summary: 'Delete a persona',
      description:
        'It becomes inactive and stays readable. May be repeated. Made from an older version it is refused when any ' +
        'field was changed since.',
    }),
    ApiPersonaId(),
    ApiIfMatch(),
    ApiActor(),
    ApiResponse({ status: 204, description: 'The persona is inactive.', headers: responseHeaders() }),
    ApiNotFound(),
    ApiStale(),
    ApiUnreadableBody(),
    ApiStorageFull(),
    ApiDatabaseProblems(),
  )

export const DescribeCountGenerations = () =>
  applyDecorators(
    ApiOperation({ summary: 'Count generations', description: 'Adds to generation_count in one atomic statement.' }),
    ApiPersonaId(),
    ApiIdempotencyKey(),
    ApiActor(),
    ApiPrefer(),
    ApiJsonBody(CountGenerationsDto, false, JSON_ONLY),
    ApiPersona(
      200,
      'The persona with its new count.',
      'X-Ignored-Fields',
      'Preference-Applied',
      'Idempotency-Replayed',
    ),
    ApiNotFound(),
    ApiBodyProblems(),
    ApiDatabaseProblems(),
  )
