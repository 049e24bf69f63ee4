import type { Persona } from './persona.js'
import { describeFaults, type Fault } from '../validation/rule.js'

export class PersonaNotFoundError extends Error {
  override readonly name = 'PersonaNotFoundError'
  constructor(id: string) {
    super(`Persona ${id} not found`)
  }
}

/** A write was conditional on a version that is not the current one; nothing was changed. */
export class StaleVersionError extends Error {
  override readonly name = 'StaleVersionError'
  constructor(readonly current: Persona) {
    super('The persona has changed since the version that If-Match names; nothing was changed.')
  }
}

/** A value breaks a rule that could only be checked against what is stored; nothing was changed. */
export class PersonaRuleError extends Error {
  override readonly name = 'PersonaRuleError'
  constructor(readonly faults: readonly Fault[]) {
    super(describeFaults(faults))
  }
}
