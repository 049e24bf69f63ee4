/** The domain's persona. Nothing here knows of HTTP, Nest or a database. */

export const CONTENT_RATINGS = ['sfw', 'moderate', 'nsfw'] as const
export type ContentRating = (typeof CONTENT_RATINGS)[number]

export const PLATFORM_RESTRICTIONS = ['sfw_only', 'moderate_allowed', 'both', 'all'] as const
export type PlatformRestriction = (typeof PLATFORM_RESTRICTIONS)[number]

export const BASE_IMAGE_STATUSES = ['pending_upload', 'draft', 'approved', 'rejected'] as const
export type BaseImageStatus = (typeof BASE_IMAGE_STATUSES)[number]

export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject
export interface JsonObject {
  [key: string]: JsonValue
}

/** What a client may write. */
export interface PersonaFields {
  readonly name: string
  readonly appearance: string
  readonly personality: string
  readonly contentThemes: readonly string[]
  readonly stylePreferences: JsonObject
  readonly defaultContentRating: ContentRating
  readonly allowedContentRatings: readonly ContentRating[]
  readonly platformRestrictions: Readonly<Record<string, PlatformRestriction>>
  readonly baseAppearanceDescription: string | null
  readonly baseImagePath: string | null
  readonly appearanceLocked: boolean
  readonly baseImageStatus: BaseImageStatus
  readonly isActive: boolean
}

/** The writable fields, for loops; a field that is missing here does not compile. */
export const PERSONA_FIELDS = Object.keys({
  name: true,
  appearance: true,
  personality: true,
  contentThemes: true,
  stylePreferences: true,
  defaultContentRating: true,
  allowedContentRatings: true,
  platformRestrictions: true,
  baseAppearanceDescription: true,
  baseImagePath: true,
  appearanceLocked: true,
  baseImageStatus: true,
  isActive: true,
} satisfies Record<keyof PersonaFields, true>) as readonly (keyof PersonaFields)[]

/** What every new persona has that its creator did not say. */
export const PERSONA_DEFAULTS = {
  contentThemes: [],
  stylePreferences: {},
  defaultContentRating: 'sfw',
  allowedContentRatings: ['sfw'],
  platformRestrictions: {},
  baseAppearanceDescription: null,
  baseImagePath: null,
  appearanceLocked: false,
  baseImageStatus: 'pending_upload',
  isActive: true,
} as const satisfies Partial<PersonaFields>

export interface Persona extends PersonaFields {
  /** UUID version 7 in canonical form. */
  readonly id: string
  readonly generationCount: number
  /** 1 when created, plus one with every change of a writable field. */
  readonly version: number
  readonly createdAt: Date
  /** When a writable field last changed. */
  readonly updatedAt: Date
}

/** The fields that an update changes; absent ones stay as they are. */
export type PersonaChanges = Partial<PersonaFields>

/** The fields of a new persona; what is absent takes its default. */
export type NewPersonaFields = Pick<PersonaFields, 'name' | 'appearance' | 'personality'> & PersonaChanges

/** Largest generation count that both databases hold (a 32-bit integer). */
export const MAX_GENERATION_COUNT = 2_147_483_647

/** Largest version that both databases hold, and may be asked for. */
export const MAX_VERSION = 2_147_483_647

/** Most generations that one request may count. */
export const MAX_GENERATIONS_AT_ONCE = 1_000
