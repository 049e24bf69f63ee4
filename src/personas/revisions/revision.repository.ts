import type { Revision, RevisionWithState } from './revision.js'

export interface RevisionPageRequest {
  readonly limit: number
  /** Only revisions with a lower `seq`. */
  readonly before: number | undefined
}

/** The history of personas, which is read only: the database itself writes it. Also the DI token. */
export abstract class RevisionRepository {
  /** A page of a persona's revisions, newest first. */
  abstract findPage(personaId: string, page: RevisionPageRequest): Promise<Revision[]>

  /** The last revision that has this version, but for erased ones; null when there is none, or none any more. */
  abstract findVersion(personaId: string, version: number): Promise<RevisionWithState | null>

  /** The last revision at that time; `state` is null when the persona was erased by then. */
  abstract findAsOf(
    personaId: string,
    time: Date,
  ): Promise<RevisionWithState | (Revision & { readonly state: null }) | null>

  /** The oldest revision that is kept. */
  abstract findOldest(personaId: string): Promise<Revision | null>
}
