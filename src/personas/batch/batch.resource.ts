import { ApiProperty } from '@nestjs/swagger'
import { ProblemResource } from '../../http/problem.resource.js'
import type { Problem } from '../../http/problem.js'
import { PersonaResource } from '../dto/persona.resource.js'

/** What became of one operation. */
export class OperationResult {
  @ApiProperty({ type: 'integer', description: 'As of a request of its own.', example: 200 })
  readonly status!: number

  @ApiProperty({ description: 'Path of a new persona.', required: false })
  readonly location?: string

  @ApiProperty({ description: 'Of the persona after it; with 412, of the current one.', required: false })
  readonly etag?: string

  @ApiProperty({
    type: 'integer',
    description: 'The version that a stale edit was made from, when it was merged.',
    required: false,
    example: 2,
  })
  readonly merged_base?: number

  @ApiProperty({ description: 'The persona after it.', type: PersonaResource, required: false })
  readonly body?: PersonaResource

  @ApiProperty({ description: 'Why it was refused.', type: ProblemResource, required: false })
  readonly problem?: Problem
}

export class BatchResource {
  @ApiProperty({ description: 'One for each operation, in their order.', type: [OperationResult] })
  readonly results!: readonly OperationResult[]
}
