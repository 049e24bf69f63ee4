import { type ArgumentMetadata, Injectable, type PipeTransform, type Type } from '@nestjs/common'
import { validateDto } from '../validation/validate-dto.js'
import { ValidationFailedError } from '../validation/validation-failed.error.js'

/** Validates query parameters against the parameter's DTO class. Unknown ones are ignored. */
@Injectable()
export class QueryPipe implements PipeTransform<Record<string, unknown>, object> {
  transform(query: Record<string, unknown>, { metatype }: ArgumentMetadata): object {
    const { dto, faults } = validateDto(metatype as Type<object>, query)
    if (faults.length > 0) throw new ValidationFailedError(faults)
    return dto
  }
}
