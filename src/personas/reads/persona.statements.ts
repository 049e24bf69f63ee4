import type { Persona } from '../persona.js'
import { readTime, toPersona } from '../persona.row.js'
import { WRITTEN } from './written.js'

/** One persona, which takes an id; and a page, which takes how many at most, and how many to pass over. */
export interface PersonaStatements {
  readonly one: string
  readonly page: (activeOnly: boolean) => string
}

/** Those that {@link personaOf} reads, from the first on. */
export const COLUMNS = [
  'id, name, appearance, personality, content_themes, style_preferences, default_content_rating',
  'allowed_content_ratings, platform_restrictions, base_appearance_description, base_image_path, appearance_locked',
  'base_image_status, is_active, generation_count, version, created_at, updated_at',
].join(', ')

/** The one after those of a persona. */
export const NEXT_COLUMN = COLUMNS.split(', ').length

/**
 * What the repository asks through Prisma, in SQL.
 * @param ofEachRow the columns of a page beyond those of a persona
 */
function statements(
  columns: string,
  placeholder: (position: number) => string,
  isTrue: string,
  ofEachRow: (activeOnly: boolean) => string = () => '',
): PersonaStatements {
  const pageOf = (activeOnly: boolean) =>
    `SELECT ${columns}${ofEachRow(activeOnly)} FROM personas ${activeOnly ? `WHERE is_active = ${isTrue}` : ''}
     ORDER BY created_at DESC, id DESC LIMIT ${placeholder(1)} OFFSET ${placeholder(2)}`
  const [all, active] = [pageOf(false), pageOf(true)]
  return {
    one: `SELECT ${columns} FROM personas WHERE id = ${placeholder(1)}`,
    page: (activeOnly) => (activeOnly ? active : all),
  }
}

/** How many personas there are: of a table that triggers keep, since to count them takes as long as there are personas. */
export function countStatement(activeOnly: boolean): string {
  return `SELECT coalesce(sum(${activeOnly ? 'active' : 'total'}), 0) FROM persona_counts`
}

const onSqlite = (columns: string) => statements(columns, () => '?', '1')

/** For {@link personaOf}. */
export const SQLITE_STATEMENTS = onSqlite(COLUMNS)
/** The same, for {@link representationOf}. */
export const SQLITE_WRITTEN = onSqlite(WRITTEN)
/** The same, of ids alone: an index has those of a page. */
export const SQLITE_IDS = onSqlite('id')
/** A row of a page ends with how many personas the whole list has: by itself that would be a round trip. */
export const POSTGRESQL_STATEMENTS = statements(
  COLUMNS,
  (position) => `$${position}`,
  'true',
  (activeOnly) => `, (${countStatement(activeOnly)})`,
)

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
    // SQLite has numbers for truth values, and whoever writes past the service may leave a fraction in an integer.
    appearanceLocked: Boolean(row[11]),
    baseImageStatus: text(12),
    isActive: Boolean(row[13]),
    generationCount: Math.trunc(row[14] as number),
    version: Math.trunc(row[15] as number),
    createdAt: readTime(row[16]),
    updatedAt: readTime(row[17]),
  })
}
