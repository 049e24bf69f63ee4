import { ApiProperty } from '@nestjs/swagger'
import { IsOptional } from 'class-validator'
import { Satisfies } from '../../validation/satisfies.decorator.js'
import { SORTS, type Sort } from '../lists/list-request.js'
import { FilterQuery } from './filter.query.js'
import { Flag, isFlag, isText, oneOf, WholeNumber, wholeNumber } from './query-values.js'

export const DEFAULT_LIMIT = 10
export const MAX_LIMIT = 100
/** Both databases take an offset of this size; a larger one could not be meant. */
const MAX_SKIP = 2_147_483_647

export class ListPersonasQuery extends FilterQuery {
  @ApiProperty({
    type: 'integer',
    minimum: 0,
    default: 0,
    required: false,
    description: 'How many personas to pass over. Not with `cursor`, `sort`, `q` or filters.',
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

  @ApiProperty({
    type: 'string',
    required: false,
    description:
      'Where the page begins, from the `Link` of another page of the same list; empty: at the beginning. ' +
      'What a page costs does not grow with its depth, and no persona is passed over while others come and go.',
    example: '',
  })
  @IsOptional()
  @Satisfies(isText)
  cursor?: string

  @ApiProperty({
    enum: SORTS,
    required: false,
    description: 'The order; `-` descends. Ties are broken by the id, names compared by their bytes in UTF-8.',
    example: '-updated_at',
  })
  @IsOptional()
  @Satisfies(oneOf(SORTS))
  sort?: Sort

  @ApiProperty({
    type: 'boolean',
    required: false,
    description:
      'With `cursor`, `sort` or filters: count the list (`X-Total-Count`), along 10,000 personas at most: ' +
      '`X-Total-Count-Relation` says whether that was all of it. Not with `q` or `theme`.',
    example: false,
  })
  @Flag()
  @IsOptional()
  @Satisfies(isFlag)
  total?: boolean
}
