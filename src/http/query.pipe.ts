import { type ArgumentMetadata, Injectable, type PipeTransform, type Type } from '@nestjs/common'
import { validateDto } from '../validation/validate-dto.js'
import { ValidationFailedError } from '../validation/validation-failed.error.js'

/** Validates query parameters against the parameter's DTO class. Unknown ones are ignored. */
@Injectable()
export class QueryPipe implements PipeTransform<Record<string, unknown>, object> {
  /** What a request without parameters asks for. Most are such: to validate nothing would cost more than to answer. */
  readonly #withoutParameters = new Map<Type<object>, object>()

  transform(query: Record<string, unknown>, { metatype }: ArgumentMetadata): object {
    const dtoClass = metatype as Type<object>
    for (const _parameter in query) return validated(dtoClass, query)
    const known = this.#withoutParameters.get(dtoClass) ?? Object.freeze(validated(dtoClass, query))
    this.#withoutParameters.set(dtoClass, known)
    return known
  }
}

/** @throws ValidationFailedError */
function validated(dtoClass: Type<object>, query: Record<string, unknown>): object {
  const { dto, faults } = validateDto(dtoClass, query)
  if (faults.length > 0) throw new ValidationFailedError(faults)
  return dto
}
