import { ApiProperty } from '@nestjs/swagger'
import { IsOptional } from 'class-validator'
import type { Rule } from '../../validation/rule.js'
import { Satisfies } from '../../validation/satisfies.decorator.js'
import { BASE_IMAGE_STATUSES, CONTENT_RATINGS } from '../persona.js'
import { foldedWords } from '../search-terms.js'
import { FieldsQuery } from './fields.query.js'
import { Flag, isFlag, isText, isTime, itemsFrom, Time } from './query-values.js'

const MAX_SEARCH_LENGTH = 200
const MAX_WORDS = 10
const MAX_THEMES = 10

const isSearch: Rule = (value) => {
  const faults = isText(value)
  if (faults.length > 0 || typeof value !== 'string') return faults
  const words = foldedWords(value.slice(0, MAX_SEARCH_LENGTH + 1)).length
  const isShort = value.length <= MAX_SEARCH_LENGTH
  if (isShort && words > 0 && words <= MAX_WORDS) return []
  return [{ pointer: '', detail: `must have 1 to ${MAX_WORDS} words in at most ${MAX_SEARCH_LENGTH} characters` }]
}

const areThemes: Rule = (value) => {
  const themes: unknown[] = [value].flat()
  if (themes.length > MAX_THEMES) return [{ pointer: '', detail: `must be given at most ${MAX_THEMES} times` }]
  return themes.flatMap(isText)
}

const ApiTime = (description: string) =>
  ApiProperty({
    type: 'string',
    format: 'date-time',
    required: false,
    description,
    example: '2026-11-23T05:06:07.089Z',
  })

/** Which personas a list has: everything that is asked must hold. */
export abstract class FilterQuery extends FieldsQuery {
  @ApiProperty({
    type: 'string',
    minLength: 1,
    maxLength: MAX_SEARCH_LENGTH,
    required: false,
    description:
      'Words, separated by anything that is neither letter nor digit. Each must be the beginning of a word in name, ' +
      'appearance, personality or a theme; case and accents do not count.',
    example: 'silver hair',
  })
  @IsOptional()
  @Satisfies(isSearch)
  q?: string

  @ApiProperty({
    type: 'array',
    items: { type: 'string' },
    required: false,
    description:
      'The persona has this theme, exactly. May be repeated: all of them. Together with `q` they have at most 2,500 ' +
      'characters as they stand in a URL.',
    example: ['technology'],
  })
  @IsOptional()
  @Satisfies(areThemes)
  theme?: string | string[]

  @ApiProperty({
    type: 'string',
    required: false,
    description: `One of these, separated by commas: ${CONTENT_RATINGS.join(', ')}.`,
    example: 'sfw,moderate',
  })
  @IsOptional()
  @Satisfies(itemsFrom(CONTENT_RATINGS))
  default_content_rating?: string | string[]

  @ApiProperty({
    type: 'string',
    required: false,
    description: `The persona allows all of these, separated by commas: ${CONTENT_RATINGS.join(', ')}.`,
    example: 'nsfw',
  })
  @IsOptional()
  @Satisfies(itemsFrom(CONTENT_RATINGS))
  allowed_content_rating?: string | string[]

  @ApiProperty({
    type: 'string',
    required: false,
    description: `One of these, separated by commas: ${BASE_IMAGE_STATUSES.join(', ')}.`,
    example: 'draft,approved',
  })
  @IsOptional()
  @Satisfies(itemsFrom(BASE_IMAGE_STATUSES))
  base_image_status?: string | string[]

  @ApiProperty({
    type: 'boolean',
    required: false,
    description: 'Whether the appearance is locked.',
    example: true,
  })
  @Flag()
  @IsOptional()
  @Satisfies(isFlag)
  appearance_locked?: boolean

  @ApiTime('Created then or later.')
  @Time()
  @IsOptional()
  @Satisfies(isTime)
  created_after?: Date

  @ApiTime('Created earlier.')
  @Time()
  @IsOptional()
  @Satisfies(isTime)
  created_before?: Date

  @ApiTime('Last changed then or later.')
  @Time()
  @IsOptional()
  @Satisfies(isTime)
  updated_after?: Date

  @ApiTime('Last changed earlier.')
  @Time()
  @IsOptional()
  @Satisfies(isTime)
  updated_before?: Date
}
