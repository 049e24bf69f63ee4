import { ApiProperty } from '@nestjs/swagger'
import { PersonaResource } from '../dto/persona.resource.js'
import { REVISION_KINDS, type RevisionKind } from './revision.js'

/** A change of a persona as it is answered. */
export class RevisionResource {
  @ApiProperty({ type: 'integer', description: 'Ascends with every change of any persona, with gaps.', example: 4711 })
  readonly seq!: number

  @ApiProperty({ format: 'uuid', example: '019aaf3e-8f63-7b12-9d3c-2f1f5d0c8a11' })
  readonly persona_id!: string

  @ApiProperty({ type: 'integer', minimum: 1, description: 'The version after the change.', example: 3 })
  readonly version!: number

  @ApiProperty({
    description:
      'deleted: it became inactive. generated: generations were counted. erased: its row was removed by hand.',
    enum: REVISION_KINDS,
    example: 'updated',
  })
  readonly kind!: RevisionKind

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
}

/** A change with what the persona was after it. */
export class RevisionWithStateResource extends RevisionResource {
  @ApiProperty({ description: 'The whole persona after the change.' })
  readonly state!: PersonaResource
}
