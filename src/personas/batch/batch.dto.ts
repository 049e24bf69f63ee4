import { ApiProperty, getSchemaPath } from '@nestjs/swagger'
import { IsOptional } from 'class-validator'
import type { Rule } from '../../validation/rule.js'
import { Satisfies } from '../../validation/satisfies.decorator.js'
import { CreatePersonaDto, PatchPersonaDto } from '../dto/persona.dto.js'

export const BATCH_MODES = ['atomic', 'each'] as const
export type BatchMode = (typeof BATCH_MODES)[number]

/** As many as hold the write lock for some tenths of a second on a slow machine. */
export const MAX_OPERATIONS = 100

const text: Rule = (value) => (typeof value === 'string' ? [] : [{ pointer: '', detail: 'must be a string' }])
const isMode: Rule = (value) =>
  BATCH_MODES.some((mode) => mode === value)
    ? []
    : [{ pointer: '', detail: `must be one of ${BATCH_MODES.join(', ')}` }]
const isOperations: Rule = (value) =>
  Array.isArray(value) && value.length >= 1 && value.length <= MAX_OPERATIONS
    ? []
    : [{ pointer: '', detail: `must be an array of 1 to ${MAX_OPERATIONS} operations` }]
/** What stands there is read as the body of a single request would be. */
const isGiven: Rule = (value) => (value === undefined ? [{ pointer: '', detail: 'is required' }] : [])

const Id = () => ApiProperty({ description: 'As in a path.', example: '019aaf3e-8f63-7b12-9d3c-2f1f5d0c8a11' })
const IfMatch = () =>
  ApiProperty({ type: 'string', description: 'As the header If-Match.', required: false, example: '"3.2"' })

/** Creates a persona, as POST does. */
export class CreateOperationDto {
  @ApiProperty({ enum: ['create'], example: 'create' })
  @Satisfies(isGiven)
  op!: string

  @ApiProperty({ type: CreatePersonaDto })
  @Satisfies(isGiven)
  body!: unknown
}

/** Changes a persona, as PATCH does: a JSON merge patch. */
export class UpdateOperationDto {
  @ApiProperty({ enum: ['update'], example: 'update' })
  @Satisfies(isGiven)
  op!: string

  @Id()
  @Satisfies(text)
  id!: string

  @ApiProperty({ type: PatchPersonaDto })
  @Satisfies(isGiven)
  body!: unknown

  @IfMatch()
  @IsOptional()
  @Satisfies(text)
  if_match?: string | null
}

/** Deletes a persona, as DELETE does. */
export class DeleteOperationDto {
  @ApiProperty({ enum: ['delete'], example: 'delete' })
  @Satisfies(isGiven)
  op!: string

  @Id()
  @Satisfies(text)
  id!: string

  @IfMatch()
  @IsOptional()
  @Satisfies(text)
  if_match?: string | null
}

export class BatchDto {
  @ApiProperty({
    description: 'atomic: all operations or none. each: one that is refused is refused alone.',
    enum: BATCH_MODES,
    default: 'atomic',
    required: false,
    example: 'each',
  })
  @IsOptional()
  @Satisfies(isMode)
  mode?: BatchMode | null

  @ApiProperty({
    type: 'array',
    minItems: 1,
    maxItems: MAX_OPERATIONS,
    items: {
      oneOf: [CreateOperationDto, UpdateOperationDto, DeleteOperationDto].map((dto) => ({ $ref: getSchemaPath(dto) })),
    },
    example: [{ op: 'delete', id: '019aaf3e-8f63-7b12-9d3c-2f1f5d0c8a11', if_match: '"3.2"' }],
  })
  @Satisfies(isOperations)
  operations!: unknown[]
}
