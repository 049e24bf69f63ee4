import type { Fault } from '../validation/rule.js'
import type { NewPersonaFields, Persona, PersonaChanges, PersonaFields } from './persona.js'
import type { CreatePersonaDto, PatchPersonaDto, UpdatePersonaDto } from './dto/persona.dto.js'
import type { PersonaResource } from './dto/persona.resource.js'
import { isMergedField, type PersonaPatch } from './persona.patch.js'
import { ratingFaults, type Ratings } from './persona.rules.js'

type WireName = keyof UpdatePersonaDto

/** How each writable field is called in JSON. A field that is missing here does not compile. */
export const WIRE_NAMES: Readonly<Record<keyof PersonaFields, WireName>> = {
  name: 'name',
  appearance: 'appearance',
  personality: 'personality',
  contentThemes: 'content_themes',
  stylePreferences: 'style_preferences',
  defaultContentRating: 'default_content_rating',
  allowedContentRatings: 'allowed_content_ratings',
  platformRestrictions: 'platform_restrictions',
  baseAppearanceDescription: 'base_appearance_description',
  baseImagePath: 'base_image_path',
  appearanceLocked: 'appearance_locked',
  baseImageStatus: 'base_image_status',
  isActive: 'is_active',
}

const WIRE_ENTRIES = Object.entries(WIRE_NAMES)

/** The fields that a client may send and that have no effect, so that it can read, edit and write back the whole. */
export const READ_ONLY_FIELDS = ['id', 'generation_count', 'version', 'created_at', 'updated_at'] as const

/** Every field that a client sees, as it is called in JSON. */
export const RESOURCE_FIELDS: readonly string[] = [...READ_ONLY_FIELDS, ...Object.values(WIRE_NAMES)]

/** A persona as a client sees it: every field is named here, so that nothing else can leak. */
export function toResource(persona: Persona): PersonaResource {
  return {
    id: persona.id,
    name: persona.name,
    appearance: persona.appearance,
    personality: persona.personality,
    content_themes: persona.contentThemes,
    style_preferences: persona.stylePreferences,
    default_content_rating: persona.defaultContentRating,
    allowed_content_ratings: persona.allowedContentRatings,
    platform_restrictions: persona.platformRestrictions,
    base_appearance_description: persona.baseAppearanceDescription,
    base_image_path: persona.baseImagePath,
    appearance_locked: persona.appearanceLocked,
    base_image_status: persona.baseImageStatus,
    is_active: persona.isActive,
    generation_count: persona.generationCount,
    version: persona.version,
    created_at: persona.createdAt.toISOString(),
    updated_at: persona.updatedAt.toISOString(),
  }
}

/** The fields of a validated create; absent and null ones take their defaults. */
export function toNewPersona(dto: CreatePersonaDto): NewPersonaFields {
  return { name: dto.name, appearance: dto.appearance, personality: dto.personality, ...toChanges(dto) }
}

/** The changes of a validated PUT: what is absent or null stays as it is. */
export function toChanges(dto: UpdatePersonaDto): PersonaChanges {
  return Object.fromEntries(givenFields(dto).filter(([, value]) => value !== null))
}

/** A validated merge patch: null, where it got this far, clears. */
export function toPatch(dto: PatchPersonaDto): PersonaPatch {
  const given = givenFields(dto)
  return {
    replaced: Object.fromEntries(given.filter(([field]) => !isMergedField(field))),
    merged: Object.fromEntries(given.filter(([field]) => isMergedField(field))),
  }
}

/**
 * The fault of two ratings in a body that do not go together. `defaults` are what an absent rating will be, for a new
 * persona; what is stored, the service looks at.
 */
export function ratingFaultsOf(defaults: Partial<Ratings>) {
  return (dto: UpdatePersonaDto, isFaulty: (field: string) => boolean): readonly Fault[] => {
    if (isFaulty('default_content_rating') || isFaulty('allowed_content_ratings')) return []
    return ratingFaults({ ...defaults, ...toChanges(dto) })
  }
}

function givenFields(dto: Partial<Record<WireName, unknown>>): (readonly [string, unknown])[] {
  return WIRE_ENTRIES.filter(([, wireName]) => dto[wireName] !== undefined).map(
    ([field, wireName]) => [field, dto[wireName]] as const,
  )
}
