import { PERSONA_FIELDS, type Persona } from '../personas/persona.js'
import { WIRE_NAMES } from '../personas/persona.mapper.js'
import { personaRules, ratingFaults } from '../personas/persona.rules.js'
import { structureFaults } from '../validation/json-structure.js'
import type { Fault } from '../validation/rule.js'

export interface BrokenRule {
  readonly field: string
  readonly detail: string
}

/** The rules of the API that a persona breaks, field by field, as a client that sent it would be told. */
export function brokenRules(persona: Persona): BrokenRule[] {
  const broken = PERSONA_FIELDS.flatMap((field) => {
    // A name counts without the space around it.
    const value = field === 'name' ? persona.name.trim() : persona[field]
    const faults = [...structureFaults(value), ...personaRules[field](value)]
    return faults.map((fault) => told(WIRE_NAMES[field], fault))
  })
  const isKnown = broken.every(({ field }) => !field.startsWith(WIRE_NAMES.allowedContentRatings))
  return isKnown ? [...broken, ...ratingFaults(persona).map((fault) => told('', fault))] : broken
}

function told(field: string, { pointer, detail }: Fault): BrokenRule {
  return { field: `${field}${pointer}`.replace(/^\//, ''), detail }
}
