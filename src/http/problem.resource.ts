import { ApiProperty } from '@nestjs/swagger'

class FaultResource {
  @ApiProperty({ description: 'JSON pointer (RFC 6901) to the value.', example: '/content_themes/2' })
  readonly pointer!: string

  @ApiProperty({ example: 'must be a string' })
  readonly detail!: string
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
}
