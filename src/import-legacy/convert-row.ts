import { BASE_IMAGE_STATUSES, CONTENT_RATINGS, PERSONA_DEFAULTS, PLATFORM_RESTRICTIONS } from '../personas/persona.js'
import { type PersonaRow, toPersona } from '../personas/persona.row.js'
import { brokenRules } from './broken-rules.js'
import { readId } from './convert-id.js'
import { type JsonColumn, readJson } from './convert-json.js'
import { readBoolean, readCount, readWord } from './convert-scalar.js'
import { readText } from './convert-text.js'
import { readTimes } from './convert-time.js'
import { type Finding, Findings, type Note } from './findings.js'
import type { LegacyColumn, LegacyRow } from './legacy-database.js'

/** A row of the predecessor as this service stores it, with everything there is to say of the difference. */
export interface ConvertedRow {
  readonly row: number
  readonly persona: PersonaRow
  readonly findings: readonly Finding[]
  readonly notes: readonly Note[]
  /** Whether the times are those of the import, because the row had none. */
  readonly hasTimesOfImport: boolean
}

const { contentThemes, stylePreferences, allowedContentRatings, platformRestrictions } = PERSONA_DEFAULTS
const JSON_COLUMNS = {
  content_themes: { kind: 'array', defaultValue: contentThemes },
  style_preferences: { kind: 'object', defaultValue: stylePreferences },
  allowed_content_ratings: { kind: 'array', defaultValue: allowedContentRatings, words: CONTENT_RATINGS },
  platform_restrictions: { kind: 'object', defaultValue: platformRestrictions, words: PLATFORM_RESTRICTIONS },
} as const satisfies Partial<Record<LegacyColumn, JsonColumn>>

/**
 * Turns a row of the predecessor into one that the schema of both databases holds, whatever stands in it. The same row
 * and time give the same result.
 * @param now the time of a row that has none
 */
export function convertRow({ row, values }: LegacyRow, now: Date): ConvertedRow {
  const findings = new Findings()
  const about = (name: LegacyColumn) => findings.about(name)
  const given = (name: LegacyColumn) => ({ value: values[name], findings: about(name) })
  const required = (name: LegacyColumn) =>
    readText(values[name], about(name)) ?? about(name).replaced('is missing', values[name], '')
  const optional = (name: LegacyColumn) => readText(values[name], about(name))
  const json = (name: keyof typeof JSON_COLUMNS) => readJson(values[name], JSON_COLUMNS[name], about(name))
  const { defaultContentRating, baseImageStatus, appearanceLocked, isActive } = PERSONA_DEFAULTS

  const id = readId(values.id, row, about('id'))
  const { isOfImport, ...times } = readTimes(given('created_at'), given('updated_at'), now)
  const persona: PersonaRow = {
    id,
    name: required('name'),
    appearance: required('appearance'),
    personality: required('personality'),
    contentThemes: json('content_themes'),
    stylePreferences: json('style_preferences'),
    defaultContentRating: readWord(
      values.default_content_rating,
      CONTENT_RATINGS,
      defaultContentRating,
      about('default_content_rating'),
    ),
    allowedContentRatings: json('allowed_content_ratings'),
    platformRestrictions: json('platform_restrictions'),
    baseAppearanceDescription: optional('base_appearance_description'),
    baseImagePath: optional('base_image_path'),
    appearanceLocked: readBoolean(values.appearance_locked, appearanceLocked, about('appearance_locked')),
    baseImageStatus: readWord(
      values.base_image_status,
      BASE_IMAGE_STATUSES,
      baseImageStatus,
      about('base_image_status'),
    ),
    isActive: readBoolean(values.is_active, isActive, about('is_active')),
    generationCount: readCount(values.generation_count, about('generation_count')),
    version: 1,
    ...times,
  }
  for (const { field, detail } of brokenRules(toPersona(persona))) {
    findings.told.push({ kind: 'rule', field, detail })
  }
  return { row, persona, findings: findings.of(row, id), notes: findings.notes, hasTimesOfImport: isOfImport }
}
