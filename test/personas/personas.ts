import fc from 'fast-check'
import { v7 as uuidv7 } from 'uuid'
import {
  BASE_IMAGE_STATUSES,
  CONTENT_RATINGS,
  type JsonObject,
  PERSONA_DEFAULTS,
  type PersonaFields,
  PLATFORM_RESTRICTIONS,
} from '../../src/personas/persona.js'
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

const text = fc.string({ unit: 'binary', minLength: 2, maxLength: 40 }).filter((value) => !value.includes('\0'))
/** Whatever the service would store. */
export const generatedFields: fc.Arbitrary<PersonaFields> = fc.record({
  name: text,
  appearance: text,
  personality: text,
  contentThemes: fc.array(text, { maxLength: 3 }),
  stylePreferences: fc.dictionary(text, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }) as fc.Arbitrary<JsonObject>,
  defaultContentRating: fc.constantFrom(...CONTENT_RATINGS),
  allowedContentRatings: fc.subarray([...CONTENT_RATINGS], { minLength: 1 }),
  platformRestrictions: fc.dictionary(text, fc.constantFrom(...PLATFORM_RESTRICTIONS), { maxKeys: 2 }),
  baseAppearanceDescription: fc.option(text),
  baseImagePath: fc.option(text),
  appearanceLocked: fc.boolean(),
  baseImageStatus: fc.constantFrom(...BASE_IMAGE_STATUSES),
  isActive: fc.boolean(),
})
