import { Injectable, type PipeTransform } from '@nestjs/common'
import { MAX_VERSION } from '../persona.js'
import { RevisionNotFoundError } from '../persona.errors.js'

/**
 * Reads the version in a path.
 * @throws RevisionNotFoundError for what is no version: there can be no such revision
 */
@Injectable()
export class VersionPipe implements PipeTransform<string, number> {
  transform(text: string): number {
    const version = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : Infinity
    if (version > MAX_VERSION) throw new RevisionNotFoundError('There can be no revision of this number.')
    return version
  }
}
