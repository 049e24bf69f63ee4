import type { Persona } from '../persona.js'
import { readTime, toPersona } from '../persona.row.js'

export interface PersonaStatements {
  /** Takes an id. */
  readonly one: string
  /** Takes how many at most, and how many to pass over. */
  page(activeOnly: boolean): string
  /** The same page, of ids alone: an index has them. */
  pageOfIds(activeOnly: boolean): string
}

/** Those that {@link personaOf} reads, from the first on. */
export const COLUMNS = [
  'id, name, appearance, personality, content_themes, style_preferences, default_content_rating',
  'allowed_content_ratings, platform_restrictions, base_appearance_description, base_image_path, appearance_locked',
  'base_image_status, is_active, generation_count, version, created_at, updated_at',
].join(', ')

/** What the repository asks through Prisma, in SQL. */
function statements(placeholder: (position: number) => string, isTrue: string): PersonaStatements {
  const where = (activeOnly: boolean) => (activeOnly ? `WHERE is_active = ${isTrue}` : '')
  const pageOf = (columns: string) => (activeOnly: boolean) =>
    `SELECT ${columns} FROM personas ${where(activeOnly)}
     ORDER BY created_at DESC, id DESC LIMIT ${placeholder(1)} OFFSET ${placeholder(2)}`
  const both = (make: (activeOnly: boolean) => string) => ({ all: make(false), active: make(true) })
  const [pages, idPages] = [both(pageOf(COLUMNS)), both(pageOf('id'))]
  return {
    one: `SELECT ${COLUMNS} FROM personas WHERE id = ${placeholder(1)}`,
    page: (activeOnly) => (activeOnly ? pages.active : pages.all),
    pageOfIds: (activeOnly) => (activeOnly ? idPages.active : idPages.all),
  }
}

/** How many personas there are: of a table that triggers keep, since to count them takes as long as there are personas. */
export function countStatement(activeOnly: boolean): string {
  return `SELECT coalesce(sum(${activeOnly ? 'active' : 'total'}), 0) FROM persona_counts`
}

export const SQLITE_STATEMENTS = statements(() => '?', '1')
export const POSTGRESQL_STATEMENTS = statements((position) => `$${position}`, 'true')

/** Maps a row that begins with {@link COLUMNS}, in either database's form, by the same mapper as Prisma's rows. */
export function personaOf(row: readonly unknown[]): Persona {
  const text = (column: number) => row[column] as string
  return toPersona({
    id: text(0),
    name: text(1),
    appearance: text(2),
    personality: text(3),
    contentThemes: text(4),
    stylePreferences: text(5),
    defaultContentRating: text(6),
    allowedContentRatings: text(7),
    platformRestrictions: text(8),
    baseAppearanceDescription: row[9] as string | null,
    baseImagePath: row[10] as string | null,
    // SQLite has numbers for truth values.
    appearanceLocked: Boolean(row[11]),
    baseImageStatus: text(12),
    isActive: Boolean(row[13]),
    generationCount: row[14] as number,
    version: row[15] as number,
    createdAt: readTime(row[16]),
    updatedAt: readTime(row[17]),
  })
}
