import { ApiProperty } from '@nestjs/swagger'
import { IsOptional } from 'class-validator'
import { Satisfies } from '../../validation/satisfies.decorator.js'
import { FieldsQuery } from './fields.query.js'
import { isTime, Time } from './query-values.js'

export class GetPersonaQuery extends FieldsQuery {
  @ApiProperty({
    type: 'string',
    format: 'date-time',
    required: false,
    description: 'Answer the persona as it was at this time, by the clock of the database.',
    example: '2026-11-23T05:06:07.089Z',
  })
  @Time()
  @IsOptional()
  @Satisfies(isTime)
  as_of?: Date
}
