import { ApiProperty } from '@nestjs/swagger'
import { ANY_JSON } from './json-patch.resource.js'

class FaultResource {
  @ApiProperty({ description: 'JSON pointer (RFC 6901) to the value.', example: '/content_themes/2' })
  readonly pointer!: string

  @ApiProperty({ example: 'must be a string' })
  readonly detail!: string
}

class ConflictResource {
  @ApiProperty({ description: 'JSON pointer (RFC 6901) to the field.', example: '/name' })
  readonly pointer!: string

  @ApiProperty({
    description: 'What it was at the version that the request was made from.',
    example: 'Sarah',
    ...ANY_JSON,
  })
  readonly base: unknown

  @ApiProperty({ description: 'What it is now.', example: 'Sarah Lin', ...ANY_JSON })
  readonly current: unknown

  @ApiProperty({
    description: 'What the request wanted; not of a delete.',
    example: 'Sara',
    required: false,
    ...ANY_JSON,
  })
  readonly requested?: unknown
}

/** A problem document (RFC 9457), for the OpenAPI document. */
export class ProblemResource {
  @ApiProperty({ example: 'urn:gator-personas:problem:validation-failed' })
  readonly type!: string

  @ApiProperty({ example: 'Validation failed' })
  readonly title!: string

  @ApiProperty({ type: 'integer', example: 422 })
  readonly status!: number

  @ApiProperty({ description: 'A sentence for people.', example: 'name must have 2 to 100 characters, has 1.' })
  readonly detail!: string

  @ApiProperty({ description: 'Path of the request.', required: false, example: '/api/v1/personas/' })
  readonly instance?: string

  @ApiProperty({ description: 'Every broken rule, for a failed validation.', type: [FaultResource], required: false })
  readonly errors?: readonly FaultResource[]

  @ApiProperty({
    type: 'integer',
    description: 'Which operation of an atomic batch is at fault, from 0.',
    required: false,
    example: 3,
  })
  readonly index?: number

  @ApiProperty({ description: 'The scope that the API key does not have.', required: false, example: 'personas:write' })
  readonly missing_scope?: string

  @ApiProperty({ description: 'The current ETag, for a stale edit.', required: false, example: '"3.2"' })
  readonly current_etag?: string

  @ApiProperty({
    description: 'For a stale edit: the fields that it changes and that were changed since.',
    type: [ConflictResource],
    required: false,
  })
  readonly conflicts?: readonly ConflictResource[]
}
