import { ApiProperty } from '@nestjs/swagger'
import { Transform } from 'class-transformer'
import { IsOptional } from 'class-validator'
import type { Rule } from '../../validation/rule.js'
import { Satisfies } from '../../validation/satisfies.decorator.js'

export const DEFAULT_LIMIT = 10
export const MAX_LIMIT = 100
/** Both databases take an offset of this size; a larger one could not be meant. */
const MAX_SKIP = 2_147_483_647

const TRUE = new Set(['true', '1', 'yes', 'on', 't', 'y'])
const FALSE = new Set(['false', '0', 'no', 'off', 'f', 'n'])

export const WholeNumber = () =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^[+-]?\d{1,15}$/.test(value) ? Number(value) : value,
  )

// The spellings that the service which this one replaces took.
const Flag = () =>
  Transform(({ value }: { value: unknown }) => {
    const word = typeof value === 'string' ? value.toLowerCase() : ''
    if (TRUE.has(word)) return true
    return FALSE.has(word) ? false : value
  })

export function wholeNumber(min: number, max: number): Rule {
  const detail = `must be a whole number from ${min} to ${max}`
  return (value) => (typeof value === 'number' && value >= min && value <= max ? [] : [{ pointer: '', detail }])
}

const isFlag: Rule = (value) => (typeof value === 'boolean' ? [] : [{ pointer: '', detail: 'must be true or false' }])

export class ListPersonasQuery {
  @ApiProperty({
    type: 'integer',
    minimum: 0,
    default: 0,
    required: false,
    description: 'How many personas to pass over.',
    example: 0,
  })
  @WholeNumber()
  @IsOptional()
  @Satisfies(wholeNumber(0, MAX_SKIP))
  skip: number = 0

  @ApiProperty({
    type: 'integer',
    minimum: 1,
    maximum: MAX_LIMIT,
    default: DEFAULT_LIMIT,
    required: false,
    description: 'How many personas to answer at most.',
    example: DEFAULT_LIMIT,
  })
  @WholeNumber()
  @IsOptional()
  @Satisfies(wholeNumber(1, MAX_LIMIT))
  limit: number = DEFAULT_LIMIT

  @ApiProperty({
    type: 'boolean',
    default: true,
    required: false,
    description: 'Leave out personas that were deleted.',
    example: true,
  })
  @Flag()
  @IsOptional()
  @Satisfies(isFlag)
  active_only: boolean = true
}
