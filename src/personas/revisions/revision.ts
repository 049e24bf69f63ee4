import type { Persona } from '../persona.js'
import type { Writer } from '../writer.js'

/** `deleted` marks a persona as inactive; `erased` is a row that was removed past the service. */
export const REVISION_KINDS = ['created', 'updated', 'deleted', 'generated', 'erased'] as const
export type RevisionKind = (typeof REVISION_KINDS)[number]

/** One change of a persona, written in the transaction of the change itself. */
export interface Revision extends Writer {
  /** Ascends with every change of any persona, with gaps. */
  readonly seq: number
  readonly personaId: string
  /** The version after the change. Generations, and writes past the service, leave it as it is: then it occurs again. */
  readonly version: number
  readonly kind: RevisionKind
  /** The fields whose value is another one than before, by their names in JSON. */
  readonly changed: readonly string[]
  /** When the change was made, by the database's clock. */
  readonly at: Date
}

/** A change with what the persona was after it. */
export interface RevisionWithState extends Revision {
  readonly state: Persona
}
