import { isDeepStrictEqual } from 'node:util'
import { type Persona, PERSONA_FIELDS, type PersonaChanges, type PersonaFields } from './persona.js'
import { type FieldConflict, StaleVersionError } from './persona.errors.js'

/**
 * Which fields a request is about.
 * - `given`: every field that it names (PATCH says what to set)
 * - `differing`: those that it names with another value than the version that it was made from has (PUT may send back the
 *   whole, of which most is as it was read)
 * - `whole`: all fields (who deletes or restores has judged the persona as it was)
 */
export type EditScope = 'given' | 'differing' | 'whole'

export interface Edit {
  readonly scope: EditScope
  /** What the request makes of a persona. */
  readonly changesOf: (persona: Persona) => PersonaChanges
}

type Field = keyof PersonaFields

/**
 * What is left to do of an edit that was made from an older version, when none of the fields that it is about has changed
 * since. One that was changed to the very value that the edit wants is in conflict as well: of two who count from 5 to 6,
 * one has not counted.
 * @param bases what the persona was at that version: more than one state when somebody wrote past the service, which
 *   counts no versions, and then the edit may have been made from any of them; none when it is not known any more
 * @throws StaleVersionError with every field in conflict
 */
export function mergeStaleEdit(
  { scope, changesOf }: Edit,
  current: Persona,
  bases: readonly Persona[],
): PersonaChanges {
  const [base] = bases
  if (!base) throw new StaleVersionError(current, [])
  const wanted = changesOf(base)
  const isWanted = (field: Field, persona: Persona) => isDeepStrictEqual(wanted[field], persona[field])
  const isAbout = (field: Field) =>
    scope === 'whole' || (field in wanted && (scope === 'given' || bases.some((persona) => !isWanted(field, persona))))
  const about = PERSONA_FIELDS.filter(isAbout)
  const hasChanged = (field: Field) => bases.some((persona) => !isDeepStrictEqual(persona[field], current[field]))
  const conflicts = about.filter(hasChanged).map((field) => conflictIn(field, base, current, wanted))
  if (conflicts.length > 0) throw new StaleVersionError(current, conflicts)
  const changes = Object.entries(changesOf(current)) as [Field, unknown][]
  return Object.fromEntries(changes.filter(([field]) => about.includes(field) && !isWanted(field, current)))
}

function conflictIn(field: Field, base: Persona, current: Persona, wanted: PersonaChanges): FieldConflict {
  const values = { field, base: base[field], current: current[field] }
  return field in wanted ? { ...values, requested: wanted[field] } : values
}
