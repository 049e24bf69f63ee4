import { type ArgumentMetadata, Injectable, type PipeTransform, type Type } from '@nestjs/common'
import { LRUCache } from 'lru-cache'
import { validateDto } from '../validation/validate-dto.js'
import { ValidationFailedError } from '../validation/validation-failed.error.js'

/** So many different queries of each kind are remembered, none of which is longer than this, as JSON. */
const REMEMBERED = 1_000
const LONGEST = 200

/**
 * Validates query parameters against the parameter's DTO class. Unknown ones are ignored.
 *
 * Clients ask for few different things again and again, and to validate costs as much as all else that a page does: what a
 * valid query was made into is remembered. It must not be changed by whoever gets it.
 */
@Injectable()
export class QueryPipe implements PipeTransform<Record<string, unknown>, object> {
  readonly #valid = new Map<Type<object>, LRUCache<string, object>>()

  transform(query: Record<string, unknown>, { metatype }: ArgumentMetadata): object {
    const dtoClass = metatype as Type<object>
    const key = JSON.stringify(query)
    if (key.length > LONGEST) return validated(dtoClass, query)
    const valid = this.#validOf(dtoClass)
    const known = valid.get(key)
    if (known) return known
    const dto = Object.freeze(validated(dtoClass, query))
    valid.set(key, dto)
    return dto
  }

  #validOf(dtoClass: Type<object>): LRUCache<string, object> {
    const known = this.#valid.get(dtoClass)
    if (known) return known
    const created = new LRUCache<string, object>({ max: REMEMBERED })
    this.#valid.set(dtoClass, created)
    return created
  }
}

/** @throws ValidationFailedError */
function validated(dtoClass: Type<object>, query: Record<string, unknown>): object {
  const { dto, faults } = validateDto(dtoClass, query)
  if (faults.length > 0) throw new ValidationFailedError(faults)
  return dto
}
