import { ApiProperty, ApiPropertyOptional, IntersectionType, OmitType, PartialType, PickType } from '@nestjs/swagger'
import { Transform } from 'class-transformer'
import { IsOptional, ValidateIf } from 'class-validator'
import type { Rule } from '../../validation/rule.js'
import { Satisfies } from '../../validation/satisfies.decorator.js'
import {
  BASE_IMAGE_STATUSES,
  type BaseImageStatus,
  CONTENT_RATINGS,
  type ContentRating,
  type JsonObject,
  MAX_GENERATIONS_AT_ONCE,
  PLATFORM_RESTRICTIONS,
  type PlatformRestriction,
} from '../persona.js'
import { mergeableObject, mergeableRestrictions, personaRules } from '../persona.rules.js'

/** Skips the rules of a field that is absent, and of no other. */
const WhenPresent = () => ValidateIf((_dto, value) => value !== undefined)

const aCount: Rule = (value) => {
  const isCount = Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_GENERATIONS_AT_ONCE
  const detail = `must be a whole number from 1 to ${MAX_GENERATIONS_AT_ONCE}`
  return typeof value === 'number' && isCount ? [] : [{ pointer: '', detail }]
}

/** Every writable field with its rule; how optional a field is, the classes below say. */
class PersonaFieldsDto {
  @ApiProperty({
    description: "Trimmed. None of < > & '.",
    minLength: 2,
    maxLength: 100,
    pattern: "^[^<>&']*$",
    example: 'Tech Innovator Sarah',
  })
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value))
  @Satisfies(personaRules.name)
  name!: string

  @ApiProperty({ minLength: 10, maxLength: 2000, example: 'Short silver hair, round glasses, a navy blazer' })
  @Satisfies(personaRules.appearance)
  appearance!: string

  @ApiProperty({ minLength: 10, maxLength: 2000, example: 'Curious, precise and warm; explains with examples' })
  @Satisfies(personaRules.personality)
  personality!: string

  @ApiProperty({
    description:
      'No theme that contains "illegal activity", "hate speech", "violence" or "adult content", in any case; ' +
      '64 KiB together.',
    type: 'array',
    items: { type: 'string' },
    maxItems: 10,
    example: ['technology', 'startups'],
  })
  @Satisfies(personaRules.contentThemes)
  content_themes!: string[]

  @ApiProperty({
    description: 'Any JSON object, at most 32 levels deep and 64 KiB large. PATCH merges it, PUT replaces it.',
    type: 'object',
    additionalProperties: true,
    example: { palette: 'cool', lighting: { key: 'soft' } },
  })
  @Satisfies(personaRules.stylePreferences)
  style_preferences!: JsonObject

  @ApiProperty({ description: 'Must be one of allowed_content_ratings.', enum: CONTENT_RATINGS, example: 'sfw' })
  @Satisfies(personaRules.defaultContentRating)
  default_content_rating!: ContentRating

  @ApiProperty({
    type: 'array',
    items: { type: 'string', enum: [...CONTENT_RATINGS] },
    minItems: 1,
    uniqueItems: true,
    example: ['sfw', 'moderate'],
  })
  @Satisfies(personaRules.allowedContentRatings)
  allowed_content_ratings!: ContentRating[]

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string', enum: [...PLATFORM_RESTRICTIONS] },
    example: { instagram: 'sfw_only' },
  })
  @Satisfies(personaRules.platformRestrictions)
  platform_restrictions!: Record<string, PlatformRestriction>

  @ApiProperty({ anyOf: [{ type: 'string', maxLength: 5000 }, { type: 'null' }], example: null })
  @Satisfies(personaRules.baseAppearanceDescription)
  base_appearance_description!: string | null

  @ApiProperty({ anyOf: [{ type: 'string', maxLength: 500 }, { type: 'null' }], example: 'images/sarah.png' })
  @Satisfies(personaRules.baseImagePath)
  base_image_path!: string | null

  @ApiProperty({ type: 'boolean', example: false })
  @Satisfies(personaRules.appearanceLocked)
  appearance_locked!: boolean

  @ApiProperty({ enum: BASE_IMAGE_STATUSES, example: 'pending_upload' })
  @Satisfies(personaRules.baseImageStatus)
  base_image_status!: BaseImageStatus

  @ApiProperty({ type: 'boolean', example: true })
  @Satisfies(personaRules.isActive)
  is_active!: boolean
}

const REQUIRED = ['name', 'appearance', 'personality'] as const

/** POST: three fields are required, the others take their defaults when they are absent or null. */
export class CreatePersonaDto extends IntersectionType(
  PickType(PersonaFieldsDto, REQUIRED),
  PartialType(OmitType(PersonaFieldsDto, REQUIRED)),
) {}

/** PUT: fields that are absent or null stay as they are. */
export class UpdatePersonaDto extends PartialType(PersonaFieldsDto) {}

const MERGED = ['style_preferences', 'platform_restrictions'] as const

/**
 * PATCH (RFC 7396): null clears a nullable field and is refused by the rules of the others. The two object fields are
 * merged into what is stored; their rules look at the result.
 */
export class PatchPersonaDto extends PartialType(OmitType(PersonaFieldsDto, MERGED), { skipNullProperties: false }) {
  @ApiPropertyOptional({ type: 'object', additionalProperties: true, example: { lighting: { key: null } } })
  @WhenPresent()
  @Satisfies(mergeableObject)
  style_preferences?: object

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { enum: [...PLATFORM_RESTRICTIONS, null] },
    example: { instagram: null },
  })
  @WhenPresent()
  @Satisfies(mergeableRestrictions)
  platform_restrictions?: object
}

/** What a client sends to count generations. */
export class CountGenerationsDto {
  @ApiProperty({
    type: 'integer',
    minimum: 1,
    maximum: MAX_GENERATIONS_AT_ONCE,
    default: 1,
    required: false,
    example: 2,
  })
  @IsOptional()
  @Satisfies(aCount)
  count?: number
}
