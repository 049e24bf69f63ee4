import { Injectable, type PipeTransform } from '@nestjs/common'
import { PersonaNotFoundError } from './persona.errors.js'
import { canonicalId } from './persona-id.js'

/**
 * Reads an id in any case, with or without dashes, and answers it in canonical form.
 * @throws PersonaNotFoundError for what is no UUID: there can be no such persona
 */
@Injectable()
export class PersonaIdPipe implements PipeTransform<string, string> {
  transform(id: string): string {
    const canonical = canonicalId(id)
    if (canonical === null) throw new PersonaNotFoundError(id)
    return canonical
  }
}
