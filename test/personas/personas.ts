import { v7 as uuidv7 } from 'uuid'
import { PERSONA_DEFAULTS, type PersonaFields } from '../../src/personas/persona.js'
import type { PersonaToInsert } from '../../src/personas/persona.repository.js'
import type { Writer } from '../../src/personas/writer.js'

export const NOBODY: Writer = { actor: null, requestId: null, worker: null }

/** A persona to store, with what a test cares about put over it. */
export function aPersona(overrides: Partial<PersonaToInsert> = {}): PersonaToInsert {
  return {
    ...PERSONA_DEFAULTS,
    id: uuidv7(),
    createdAt: new Date('2026-01-02T03:04:05.678Z'),
    name: 'Sarah',
    appearance: 'short silver hair',
    personality: 'curious and warm',
    ...overrides,
  }
}

/** A value other than the default for every writable field. */
export const OTHER_FIELDS: PersonaFields = {
  name: 'Zoë 🌊',
  appearance: 'a long red coat, 红色',
  personality: 'calm, exact; “dry” humour\nand a second line',
  contentThemes: ['technology', 'café', ''],
  stylePreferences: { z: 1, a: { deep: [1.5, 0, 1.5e-7, null, true, 'ü'] }, constructor: 'kept', '10': 'x', '9': 'y' },
  defaultContentRating: 'moderate',
  allowedContentRatings: ['moderate', 'nsfw'],
  platformRestrictions: { instagram: 'sfw_only', 'a/b~c': 'all' },
  baseAppearanceDescription: 'as in the first picture',
  baseImagePath: 'images/zoe.png',
  appearanceLocked: true,
  baseImageStatus: 'approved',
  isActive: false,
}
