import type { Persona, PersonaFields } from './persona.js'
import { describeFaults, type Fault } from '../validation/rule.js'

export class PersonaNotFoundError extends Error {
  override readonly name = 'PersonaNotFoundError'
  constructor(id: string) {
    super(`Persona ${id} not found`)
  }
}

/** A field that was changed since the version that an edit was made from, and that the edit changes too. */
export interface FieldConflict {
  readonly field: keyof PersonaFields
  /** What it was at that version. */
  readonly base: unknown
  readonly current: unknown
  /** What the edit would have made of it; absent when it names no value (a delete). */
  readonly requested?: unknown
}

/**
 * A write was conditional on a version that is not the current one, and could not be merged; nothing was changed. There
 * are no conflicts to name when the version is not known: not one of this persona's, or not kept any more.
 */
export class StaleVersionError extends Error {
  override readonly name = 'StaleVersionError'
  constructor(
    readonly current: Persona,
    readonly conflicts: readonly FieldConflict[],
  ) {
    super('The persona has changed since the version that If-Match names; nothing was changed.')
  }
}

/** A write must say which version it was made from, and did not; nothing was changed. */
export class BlindWriteError extends Error {
  override readonly name = 'BlindWriteError'
  constructor() {
    super('This server takes no change without If-Match: send the ETag of what you read, or * for any version.')
  }
}

/** A version of a persona is not in the history: it never was, or is not kept any more. */
export class RevisionNotFoundError extends Error {
  override readonly name = 'RevisionNotFoundError'
}

/** A value breaks a rule that could only be checked against what is stored; nothing was changed. */
export class PersonaRuleError extends Error {
  override readonly name = 'PersonaRuleError'
  constructor(readonly faults: readonly Fault[]) {
    super(describeFaults(faults))
  }
}
