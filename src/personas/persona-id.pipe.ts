import { Injectable, type PipeTransform } from '@nestjs/common'
import { PersonaNotFoundError } from './persona.errors.js'

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i

/**
 * Reads an id in any case, with or without dashes, and answers it in canonical form.
 * @throws PersonaNotFoundError for what is no UUID: there can be no such persona
 */
@Injectable()
export class PersonaIdPipe implements PipeTransform<string, string> {
  transform(id: string): string {
    if (!UUID.test(id)) throw new PersonaNotFoundError(id)
    const hex = id.replaceAll('-', '').toLowerCase()
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
  }
}
