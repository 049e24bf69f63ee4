import { at } from '../validation/rule.js'
import { mergePatch } from './merge-patch.js'
import type { Persona, PersonaChanges, PersonaFields } from './persona.js'
import { PersonaRuleError } from './persona.errors.js'
import { personaRules } from './persona.rules.js'

/** The fields whose value is an object, which a merge patch merges instead of replacing; with their names in JSON. */
const MERGED_FIELDS = { stylePreferences: 'style_preferences', platformRestrictions: 'platform_restrictions' } as const
export type MergedField = keyof typeof MERGED_FIELDS

/** A validated merge patch, taken apart: what replaces, and what must be merged into what is stored. */
export interface PersonaPatch {
  readonly replaced: PersonaChanges
  readonly merged: Readonly<Partial<Record<MergedField, object>>>
}

export function isMergedField(field: string): field is MergedField {
  return field in MERGED_FIELDS
}

/**
 * The changes that a patch makes to a persona. The merged objects are held against the same rules as any other update.
 * @throws PersonaRuleError
 */
export function applyPatch(patch: PersonaPatch, current: Persona): PersonaChanges {
  const fields = Object.keys(patch.merged).filter(isMergedField)
  const merged = fields.map((field) => [field, mergePatch(current[field], patch.merged[field])] as const)
  const faults = merged.flatMap(([field, value]) => at(`/${MERGED_FIELDS[field]}`, personaRules[field](value)))
  if (faults.length > 0) throw new PersonaRuleError(faults)
  return { ...patch.replaced, ...(Object.fromEntries(merged) as Pick<PersonaFields, MergedField>) }
}
