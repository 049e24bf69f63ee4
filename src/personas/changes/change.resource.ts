import { ApiProperty } from '@nestjs/swagger'
import { PersonaResource } from '../dto/persona.resource.js'
import { REVISION_KINDS, type RevisionKind } from '../revisions/revision.js'
import { RESET_REASONS, type ResetReason } from './change.js'

const ID = {
  description: 'Of the place in the sequence of all changes; opaque.',
  example: '9f2c41d07be3-4711-mwst1j2c',
}

/** A change of a persona, as those who follow all of them get it. */
export class ChangeResource {
  @ApiProperty(ID)
  readonly id!: string

  @ApiProperty({
    description:
      'deleted: it became inactive. generated: generations were counted. erased: its row was removed by hand.',
    enum: REVISION_KINDS,
    example: 'updated',
  })
  readonly type!: RevisionKind

  @ApiProperty({ format: 'uuid', example: '019aaf3e-8f63-7b12-9d3c-2f1f5d0c8a11' })
  readonly persona_id!: string

  @ApiProperty({ type: 'integer', minimum: 1, description: 'The version after the change.', example: 3 })
  readonly version!: number

  @ApiProperty({ type: 'array', items: { type: 'string' }, description: 'The fields it changed.', example: ['name'] })
  readonly changed!: readonly string[]

  @ApiProperty({ format: 'date-time', description: "By the database's clock.", example: '2026-11-23T05:08:09.102Z' })
  readonly at!: string

  @ApiProperty({
    anyOf: [{ type: 'string' }, { type: 'null' }],
    description:
      '`X-Actor` of the request, not verified. Null when there was none, or the change came past the service.',
    example: 'studio@example.org',
  })
  readonly actor!: string | null

  @ApiProperty({
    anyOf: [{ type: 'string' }, { type: 'null' }],
    description: '`X-Request-Id` of the request. Null when the change came past the service.',
    example: '9b2d6f0e-1f53-4a66-8f8b-3e0f8a1f2c77',
  })
  readonly request_id!: string | null

  @ApiProperty({
    anyOf: [{ type: 'integer' }, { type: 'null' }],
    description: 'Slot of the worker that made the change, when there were several.',
    example: 1,
  })
  readonly worker!: number | null

  @ApiProperty({
    anyOf: [{ $ref: '#/components/schemas/PersonaResource' }, { type: 'null' }],
    description: 'The whole persona after the change. Null when it was erased.',
  })
  readonly persona!: PersonaResource | null

  @ApiProperty({
    anyOf: [{ type: 'string' }, { type: 'null' }],
    description: "The persona's ETag after the change.",
    example: '"3.2"',
  })
  readonly etag!: string | null
}

/** What happened since a place in the sequence. */
export class ChangesResource {
  @ApiProperty({ type: [ChangeResource], description: 'In the order in which they were made.' })
  readonly changes!: readonly ChangeResource[]

  @ApiProperty({ description: 'What to send as `after` the next time.', example: '9f2c41d07be3-4711-mwst1j2c' })
  readonly next!: string

  @ApiProperty({ description: 'Whether there is more already: ask again at once.', example: false })
  readonly more!: boolean

  @ApiProperty({
    anyOf: [{ type: 'string', enum: [...RESET_REASONS] }, { type: 'null' }],
    description: 'Why it could not be told what happened since `after`: read the lists again, and go on with `next`.',
    example: null,
  })
  readonly reset!: ResetReason | null
}
