import { isUtf8 } from 'node:buffer'
import { etagOf } from '../persona.etag.js'
import type { Representation } from './representation.js'

const quoted = (column: string) => [column, `json_quote(${column})`, '%s'] as const
const asStored = (column: string) => [column, column, '%s'] as const
const flag = (column: string) => [column, `iif(${column}, 'true', 'false')`, '%s'] as const
const integer = (column: string) => [column, column, '%d'] as const
/** To the millisecond; of the service's own offset, `+00:00`, an answer has the Z. */
const time = (column: string) => [column, column, '"%.23sZ"'] as const

/** As they stand in an answer, see `toResource`. */
const FIELDS = [
  ...['id', 'name', 'appearance', 'personality'].map(quoted),
  ...['content_themes', 'style_preferences'].map(asStored),
  quoted('default_content_rating'),
  ...['allowed_content_ratings', 'platform_restrictions'].map(asStored),
  ...['base_appearance_description', 'base_image_path'].map(quoted),
  flag('appearance_locked'),
  quoted('base_image_status'),
  flag('is_active'),
  ...['generation_count', 'version'].map(integer),
  ...['created_at', 'updated_at'].map(time),
]

const FORMAT = `{${FIELDS.map(([name, , form]) => `"${name}":${form}`).join(',')}}`
const VALUES = FIELDS.map(([, value]) => value).join(', ')
const OWN_TIME = "'????-??-??T??:??:??.???+00:00'"
/** Between texts of JSON: none that the service has written has one. */
const BETWEEN = '\n'
const JSON_COLUMNS = ['content_themes', 'style_preferences', 'allowed_content_ratings', 'platform_restrictions']
const UNTOUCHED = ['[]', '{}', '["sfw"]', '{}', ''].join(BETWEEN)

/**
 * What {@link representationOf} reads: the JSON of an answer, made by SQLite itself, which takes half of what it takes to
 * read 18 values, to parse four of them and to write them all again; and what tells whether that is what JavaScript
 * would have written.
 */
export const WRITTEN = `
  id, CAST(format('${FORMAT}', ${VALUES}) AS BLOB), version, generation_count,
  ${JSON_COLUMNS.join(' || char(10) || ')} || char(10) ||
    CASE WHEN created_at GLOB ${OWN_TIME} AND updated_at GLOB ${OWN_TIME} THEN '' ELSE 'other' END`

/**
 * The answer of a row of {@link WRITTEN}; null for one that was written past the service in a way of its
 * own: with other times, or JSON that is spelt otherwise. Such a row is to be read by `personaOf`.
 */
export function representationOf(row: readonly unknown[]): Representation | null {
  const [id, body, version, generationCount, spelling] = row as [string, Buffer, number, number, string]
  if (spelling !== UNTOUCHED && !isOurs(spelling)) return null
  if (!isUtf8(body)) return null
  return { id, body, etag: etagOf({ version: Math.trunc(version), generationCount: Math.trunc(generationCount) }) }
}

function isOurs(spelling: string): boolean {
  const texts = spelling.split(BETWEEN)
  if (texts.length !== JSON_COLUMNS.length + 1 || texts.pop() !== '') return false
  return texts.every((text) => JSON.stringify(JSON.parse(text)) === text)
}
