import { ApiProperty } from '@nestjs/swagger'
import { IsOptional } from 'class-validator'
import type { Rule } from '../../validation/rule.js'
import { Satisfies } from '../../validation/satisfies.decorator.js'
import { WholeNumber, wholeNumber } from './query-values.js'

const MAX_CHANGES = 1_000
const DEFAULT_CHANGES = 100

// Any text: what is no id of ours is answered with a reset, like one that is too old.
const isText: Rule = (value) =>
  typeof value === 'string' ? [] : [{ pointer: '', detail: 'must be the id of one change' }]

export class StreamChangesQuery {
  @ApiProperty({
    type: 'string',
    required: false,
    description: 'Begin after the change of this id. Without it: at the present.',
    example: '9f2c41d07be3-4711-mwst1j2c',
  })
  @IsOptional()
  @Satisfies(isText)
  after?: string
}

export class ListChangesQuery extends StreamChangesQuery {
  @ApiProperty({
    type: 'integer',
    minimum: 1,
    maximum: MAX_CHANGES,
    default: DEFAULT_CHANGES,
    required: false,
    description: 'How many changes to answer at most; fewer, when they are large.',
    example: DEFAULT_CHANGES,
  })
  @WholeNumber()
  @IsOptional()
  @Satisfies(wholeNumber(1, MAX_CHANGES))
  limit: number = DEFAULT_CHANGES
}
