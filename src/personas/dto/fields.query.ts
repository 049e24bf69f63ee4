import { ApiProperty } from '@nestjs/swagger'
import { IsOptional } from 'class-validator'
import { Satisfies } from '../../validation/satisfies.decorator.js'
import { RESOURCE_FIELDS } from '../persona.mapper.js'
import { itemsFrom } from './query-values.js'

/** What a client may ask of any answer that has personas in it. */
export abstract class FieldsQuery {
  @ApiProperty({
    type: 'string',
    required: false,
    description:
      'Answer these fields alone, and `id`: names separated by commas. The ETag stays that of the whole persona.',
    example: 'name,version',
  })
  @IsOptional()
  @Satisfies(itemsFrom(RESOURCE_FIELDS))
  fields?: string | string[]
}
