import { ApiProperty } from '@nestjs/swagger'
import { IsOptional } from 'class-validator'
import { Satisfies } from '../../validation/satisfies.decorator.js'
import { DEFAULT_LIMIT, MAX_LIMIT } from './list-personas.query.js'
import { WholeNumber, wholeNumber } from './query-values.js'

/** Fifteen digits, as many as a parameter may have: further than any history goes. */
const MAX_SEQ = 999_999_999_999_999

export class ListRevisionsQuery {
  @ApiProperty({
    type: 'integer',
    minimum: 1,
    maximum: MAX_LIMIT,
    default: DEFAULT_LIMIT,
    required: false,
    description: 'How many revisions to answer at most.',
    example: DEFAULT_LIMIT,
  })
  @WholeNumber()
  @IsOptional()
  @Satisfies(wholeNumber(1, MAX_LIMIT))
  limit: number = DEFAULT_LIMIT

  @ApiProperty({
    type: 'integer',
    minimum: 1,
    required: false,
    description: 'Only revisions whose seq is lower: the next page begins here.',
    example: 4711,
  })
  @WholeNumber()
  @IsOptional()
  @Satisfies(wholeNumber(1, MAX_SEQ))
  before?: number
}
