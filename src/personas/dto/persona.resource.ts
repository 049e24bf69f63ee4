import { ApiProperty } from '@nestjs/swagger'
import {
  BASE_IMAGE_STATUSES,
  type BaseImageStatus,
  CONTENT_RATINGS,
  type ContentRating,
  type JsonObject,
  PLATFORM_RESTRICTIONS,
  type PlatformRestriction,
} from '../persona.js'

/** A persona as it is answered. */
export class PersonaResource {
  @ApiProperty({ format: 'uuid', example: '019aaf3e-8f63-7b12-9d3c-2f1f5d0c8a11' })
  readonly id!: string

  @ApiProperty({ minLength: 2, maxLength: 100, example: 'Tech Innovator Sarah' })
  readonly name!: string

  @ApiProperty({ example: 'Short silver hair, round glasses, a navy blazer' })
  readonly appearance!: string

  @ApiProperty({ example: 'Curious, precise and warm; explains with examples' })
  readonly personality!: string

  @ApiProperty({ type: 'array', items: { type: 'string' }, example: ['technology', 'startups'] })
  readonly content_themes!: readonly string[]

  @ApiProperty({ type: 'object', additionalProperties: true, example: { palette: 'cool' } })
  readonly style_preferences!: JsonObject

  @ApiProperty({ enum: CONTENT_RATINGS, example: 'sfw' })
  readonly default_content_rating!: ContentRating

  @ApiProperty({ type: 'array', items: { type: 'string', enum: [...CONTENT_RATINGS] }, example: ['sfw', 'moderate'] })
  readonly allowed_content_ratings!: readonly ContentRating[]

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string', enum: [...PLATFORM_RESTRICTIONS] },
    example: { instagram: 'sfw_only' },
  })
  readonly platform_restrictions!: Readonly<Record<string, PlatformRestriction>>

  @ApiProperty({ anyOf: [{ type: 'string' }, { type: 'null' }], example: null })
  readonly base_appearance_description!: string | null

  @ApiProperty({ anyOf: [{ type: 'string' }, { type: 'null' }], example: 'images/sarah.png' })
  readonly base_image_path!: string | null

  @ApiProperty({ type: 'boolean', example: false })
  readonly appearance_locked!: boolean

  @ApiProperty({ enum: BASE_IMAGE_STATUSES, example: 'pending_upload' })
  readonly base_image_status!: BaseImageStatus

  @ApiProperty({ type: 'boolean', example: true })
  readonly is_active!: boolean

  @ApiProperty({ type: 'integer', minimum: 0, example: 2 })
  readonly generation_count!: number

  @ApiProperty({
    type: 'integer',
    minimum: 1,
    description: 'Plus one with every change of a writable field.',
    example: 3,
  })
  readonly version!: number

  @ApiProperty({ format: 'date-time', example: '2026-11-23T05:06:07.089Z' })
  readonly created_at!: string

  @ApiProperty({
    format: 'date-time',
    description: 'When a writable field last changed.',
    example: '2026-11-23T05:08:09.101Z',
  })
  readonly updated_at!: string
}
