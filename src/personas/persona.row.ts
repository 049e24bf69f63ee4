import type { PersonaModel } from '../generated/sqlite/models.js'
import type {
  ContentRating,
  JsonObject,
  Persona,
  PersonaChanges,
  PersonaFields,
  PlatformRestriction,
} from './persona.js'

/** A row of a persona, without what only the trigger of the history reads. */
export type PersonaRow = Omit<PersonaModel, 'writeContext'>

/** The columns of the writable fields, as Prisma takes them. */
type PersonaColumns = Pick<PersonaModel, keyof PersonaFields>

/**
 * Maps a row to the domain. What is trusted here was written through {@link toColumns} after validation, and the
 * database's CHECK constraints hold the enumerations and the kinds of JSON.
 */
export function toPersona(row: PersonaRow): Persona {
  return {
    id: row.id,
    name: row.name,
    appearance: row.appearance,
    personality: row.personality,
    contentThemes: JSON.parse(row.contentThemes) as string[],
    stylePreferences: JSON.parse(row.stylePreferences) as JsonObject,
    defaultContentRating: row.defaultContentRating as ContentRating,
    allowedContentRatings: JSON.parse(row.allowedContentRatings) as ContentRating[],
    platformRestrictions: JSON.parse(row.platformRestrictions) as Record<string, PlatformRestriction>,
    baseAppearanceDescription: row.baseAppearanceDescription,
    baseImagePath: row.baseImagePath,
    appearanceLocked: row.appearanceLocked,
    baseImageStatus: row.baseImageStatus as Persona['baseImageStatus'],
    isActive: row.isActive,
    generationCount: row.generationCount,
    version: row.version,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  }
}

/** Maps fields to columns: JSON becomes text, everything else stays. */
export function toColumns(fields: PersonaFields): PersonaColumns
export function toColumns(fields: PersonaChanges): Partial<PersonaColumns>
export function toColumns(fields: PersonaChanges): Partial<PersonaColumns> {
  const { contentThemes, stylePreferences, allowedContentRatings, platformRestrictions, ...plain } = fields
  return {
    ...plain,
    ...(contentThemes && { contentThemes: JSON.stringify(contentThemes) }),
    ...(stylePreferences && { stylePreferences: JSON.stringify(stylePreferences) }),
    ...(allowedContentRatings && { allowedContentRatings: JSON.stringify(allowedContentRatings) }),
    ...(platformRestrictions && { platformRestrictions: JSON.stringify(platformRestrictions) }),
  }
}

/**
 * Reads a time as either database has it. The service's own times on SQLite have their zone; whoever writes past it may
 * leave it out (which is UTC to SQLite, as to PostgreSQL's column), or write milliseconds.
 */
export function readTime(value: unknown): Date {
  if (typeof value === 'number') return new Date(value)
  const time = String(value).replace(' ', 'T')
  return new Date(/(?:Z|[+-]\d\d:?\d\d)$/.test(time) ? time : `${time}Z`)
}

const FIRST_TIME = Date.parse('0001-01-01T00:00:00.000Z')
const LAST_TIME = Date.parse('9999-12-31T23:59:59.999Z')

/** With an offset a time may be of a year that has no four digits, or that PostgreSQL does not have. */
export function clampedTime(time: Date): Date {
  return new Date(Math.min(Math.max(time.getTime(), FIRST_TIME), LAST_TIME))
}
