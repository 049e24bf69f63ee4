import { Injectable } from '@nestjs/common'
import { type Persona, PERSONA_FIELDS, type PersonaFields } from '../persona.js'
import { PersonaNotFoundError, RevisionNotFoundError } from '../persona.errors.js'
import type { Revision, RevisionWithState } from './revision.js'
import { type RevisionPageRequest, RevisionRepository } from './revision.repository.js'

/** What can be done with the history of a persona. */
@Injectable()
export class RevisionService {
  constructor(private readonly revisions: RevisionRepository) {}

  /** A page, newest first. @throws PersonaNotFoundError */
  async list(id: string, page: RevisionPageRequest): Promise<Revision[]> {
    const revisions = await this.revisions.findPage(id, page)
    // The last revision of a persona is always kept, also of one that was erased.
    if (revisions.length === 0 && !(await this.revisions.findOldest(id))) throw new PersonaNotFoundError(id)
    return revisions
  }

  /** @throws RevisionNotFoundError */
  async get(id: string, version: number): Promise<RevisionWithState> {
    const revision = await this.revisions.findVersion(id, version)
    if (revision) return revision
    throw new RevisionNotFoundError(`Persona ${id} has no revision ${version}, or it is not kept any more.`)
  }

  /** What the persona was at two versions. @throws RevisionNotFoundError */
  async pair(id: string, from: number, to: number): Promise<readonly [Persona, Persona]> {
    const [before, after] = await Promise.all([this.get(id, from), this.get(id, to)])
    return [before.state, after.state]
  }

  /**
   * What the persona was at a time.
   * @throws PersonaNotFoundError when there was none; RevisionNotFoundError when what it was is not kept any more
   */
  async stateAt(id: string, time: Date): Promise<Persona> {
    const revision = await this.revisions.findAsOf(id, time)
    if (revision?.state) return revision.state
    const oldest = revision ? null : await this.revisions.findOldest(id)
    if (!oldest || oldest.kind === 'created') throw new PersonaNotFoundError(id)
    throw new RevisionNotFoundError(`What persona ${id} was at ${time.toISOString()} is not kept any more.`)
  }

  /** The writable fields as they were at a version. @throws RevisionNotFoundError */
  async fieldsAt(id: string, version: number): Promise<PersonaFields> {
    const { state } = await this.get(id, version)
    return Object.fromEntries(PERSONA_FIELDS.map((field) => [field, state[field]])) as unknown as PersonaFields
  }
}
