import { applyDecorators, type Type } from '@nestjs/common'
import { ApiBody, ApiConsumes, ApiOperation, ApiParam, ApiResponse } from '@nestjs/swagger'
import {
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

const ApiPersonaId = () =>
  ApiParam({
    name: 'id',
    description: 'UUID in any case, with or without dashes.',
    schema: { type: 'string', example: '019aaf3e-8f63-7b12-9d3c-2f1f5d0c8a11' },
  })

const ApiPersona = (status: number, description: string, ...headers: ResponseHeaderName[]) =>
  ApiResponse({ status, description, type: PersonaResource, headers: responseHeaders('ETag', ...headers) })

function ApiJsonBody(dto: Type, required: boolean, ...mediaTypes: string[]): MethodDecorator & ClassDecorator {
  return applyDecorators(ApiConsumes(...mediaTypes), ApiBody({ required, type: dto }))
}

const JSON_ONLY = 'application/json'

export const DescribeCreatePersona = () =>
  applyDecorators(
    ApiOperation({ summary: 'Create a persona' }),
    ApiIdempotencyKey(),
    ApiPrefer(),
    ApiJsonBody(CreatePersonaDto, true, JSON_ONLY),
    ApiPersona(201, 'The new persona.', 'Location', 'X-Ignored-Fields', 'Preference-Applied', 'Idempotency-Replayed'),
    ApiBodyProblems(),
    ApiDatabaseProblems(),
  )

export const DescribeListPersonas = () =>
  applyDecorators(
    ApiOperation({ summary: 'List personas, newest first' }),
    ApiResponse({
      status: 200,
      description: 'One page.',
      type: PersonaResource,
      isArray: true,
      headers: responseHeaders('X-Total-Count', 'Link'),
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

export const DescribeGetPersona = () =>
  applyDecorators(
    ApiOperation({ summary: 'Read a persona' }),
    ApiPersonaId(),
    ApiIfNoneMatch(),
    ApiPersona(200, 'The persona.'),
    ApiResponse({
      status: 304,
      description: 'The client has the current representation.',
      headers: responseHeaders('ETag'),
    }),
    ApiNotFound(),
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
    ApiPrefer(),
    ApiJsonBody(UpdatePersonaDto, true, JSON_ONLY),
    ApiPersona(200, 'The persona after the update.', 'X-Ignored-Fields', 'Preference-Applied'),
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
    ApiPrefer(),
    ApiJsonBody(PatchPersonaDto, true, 'application/merge-patch+json', JSON_ONLY),
    ApiPersona(200, 'The persona after the patch.', 'X-Ignored-Fields', 'Preference-Applied', 'Idempotency-Replayed'),
    ApiNotFound(),
    ApiStale(),
    ApiBodyProblems(),
    ApiDatabaseProblems(),
  )

export const DescribeDeletePersona = () =>
  applyDecorators(
    ApiOperation({
      summary: 'Delete a persona',
      description: 'It becomes inactive and stays readable. May be repeated.',
    }),
    ApiPersonaId(),
    ApiIfMatch(),
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
