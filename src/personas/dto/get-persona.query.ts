import { ApiProperty } from '@nestjs/swagger'
import { Transform } from 'class-transformer'
import { IsOptional } from 'class-validator'
import type { Rule } from '../../validation/rule.js'
import { Satisfies } from '../../validation/satisfies.decorator.js'

/** RFC 3339, section 5.6, with the fraction that JavaScript's times have. A plus sign arrives as a space when it was not escaped. */
const TIME = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d(?:\.\d{1,9})?)(?:(Z)|([ +-])(\d\d:\d\d))$/i

const isTime: Rule = (value) =>
  value instanceof Date ? [] : [{ pointer: '', detail: 'must be a time such as 2026-11-23T05:06:07.089Z' }]

export class GetPersonaQuery {
  @ApiProperty({
    type: 'string',
    format: 'date-time',
    required: false,
    description: 'Answer the persona as it was at this time, by the clock of the database.',
    example: '2026-11-23T05:06:07.089Z',
  })
  @Transform(({ value }: { value: unknown }) => parseTime(value) ?? value)
  @IsOptional()
  @Satisfies(isTime)
  as_of?: Date
}

function parseTime(value: unknown): Date | undefined {
  const [, day, time, zulu, sign, offset] = (typeof value === 'string' && TIME.exec(value)) || []
  if (day === undefined || time === undefined) return undefined
  const zone = zulu ? 'Z' : `${sign === ' ' ? '+' : sign}${offset}`
  const parsed = new Date(`${day}T${time}${zone}`)
  return Number.isNaN(parsed.getTime()) ? undefined : parsed
}
