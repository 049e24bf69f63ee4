import { ApiProperty } from '@nestjs/swagger'

/** The schema of any JSON value; without one, Nest would take it from the property's type. */
export const ANY_JSON = {
  anyOf: [
    { type: 'string' },
    { type: 'number' },
    { type: 'boolean' },
    { type: 'array', items: {} },
    { type: 'object', additionalProperties: true },
    { type: 'null' },
  ],
}

/** An operation of a JSON patch (RFC 6902). */
export class PatchOperationResource {
  @ApiProperty({ enum: ['add', 'remove', 'replace'], example: 'replace' })
  readonly op!: string

  @ApiProperty({ description: 'JSON pointer (RFC 6901).', example: '/name' })
  readonly path!: string

  @ApiProperty({ description: 'Not of a removal.', required: false, example: 'Sarah Lin', ...ANY_JSON })
  readonly value?: unknown
}
