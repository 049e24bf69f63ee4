import { isDeepStrictEqual } from 'node:util'
import { type Persona, PERSONA_FIELDS, type PersonaChanges, type PersonaFields } from './persona.js'
import { type FieldConflict, StaleVersionError } from './persona.errors.js'

type Field = keyof PersonaFields

/**
 * Which fields a request is about.
 * - `given`: every field that it names (PATCH says what to set)
 * - `differing`: those that it names with another value than the version that it was made from has (PUT may send back the
 *   whole, of which most is as it was read)
 * - `whole`: all fields (who deletes or restores has judged the persona as it was)
 */
export type EditScope = 'given' | 'differing' | 'whole'

/** What is known of a persona since the version that an edit was made from. */
export interface Since {
  /** What it was when it came to that version. */
  readonly base: Persona
  /** What somebody changed past the service, which counts no versions, while it had that version: it was read so or so. */
  readonly unsure: ReadonlySet<Field>
  /** The fields that any change since then was about, be they what they were by now or not; the unsure ones among them. */
  readonly changed: ReadonlySet<Field>
}

export interface Edit {
  readonly scope: EditScope
  /** What the request makes of a persona. */
  readonly changesOf: (persona: Persona) => PersonaChanges
}

/**
 * What is left to do of an edit that was made from an older version, when none of the fields that it is about has changed
 * since. One that was changed to the very value that the edit wants is in conflict as well (of two who count from 5 to 6,
 * one has not counted), and so is one that was changed back (somebody has judged it again).
 * @param since null when it is not known any more
 * @throws StaleVersionError with every field in conflict
 */
export function mergeStaleEdit({ scope, changesOf }: Edit, current: Persona, since: Since | null): PersonaChanges {
  if (!since) throw new StaleVersionError(current, [])
  const { base, unsure, changed } = since
  const wanted = changesOf(base)
  const isWanted = (field: Field, persona: Persona) => isDeepStrictEqual(wanted[field], persona[field])
  const differs = (field: Field) => unsure.has(field) || !isWanted(field, base)
  const isAbout = (field: Field) => scope === 'whole' || (field in wanted && (scope === 'given' || differs(field)))
  const about = PERSONA_FIELDS.filter(isAbout)
  // Where the history has a hole, there are the values still.
  const hasChanged = (field: Field) => changed.has(field) || !isDeepStrictEqual(base[field], current[field])
  const conflicts = about.filter(hasChanged).map((field) => conflictIn(field, base, current, wanted))
  if (conflicts.length > 0) throw new StaleVersionError(current, conflicts)
  const changes = Object.entries(changesOf(current)) as [Field, unknown][]
  return Object.fromEntries(changes.filter(([field]) => about.includes(field) && !isWanted(field, current)))
}

function conflictIn(field: Field, base: Persona, current: Persona, wanted: PersonaChanges): FieldConflict {
  const values = { field, base: base[field], current: current[field] }
  return field in wanted ? { ...values, requested: wanted[field] } : values
}
