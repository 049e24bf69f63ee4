import { describe, expect, it } from '@jest/globals'
import { convertRow } from './convert-row.js'
import type { LegacyColumn, LegacyRow } from './legacy-database.js'
import { InvalidText, type LegacyValue } from './legacy-value.js'

const NOW = new Date('2026-05-06T07:08:09.010Z')
const GOOD: Record<LegacyColumn, LegacyValue> = {
  id: '0123456789ABCDEF0123456789abcdef',
  name: 'Sarah',
  appearance: 'short silver hair',
  personality: 'curious and warm',
  content_themes: '["caf\\u00e9", "b"]',
  style_preferences: '{"b": 1, "a": [1.50]}',
  default_content_rating: 'sfw',
  allowed_content_ratings: '["sfw"]',
  platform_restrictions: '{}',
  base_appearance_description: null,
  base_image_path: null,
  appearance_locked: 0n,
  base_image_status: 'draft',
  is_active: 1n,
  generation_count: 3n,
  created_at: '2024-02-29 23:59:59',
  updated_at: '2024-02-29 23:59:59.5',
}

function convert(values: Partial<Record<LegacyColumn, LegacyValue>> = {}) {
  const legacy: LegacyRow = { row: 5, values: { ...GOOD, ...values } }
  return convertRow(legacy, NOW)
}

/** The stored value of one column, and what is told of it. */
function converted(column: LegacyColumn, value: LegacyValue) {
  const { persona, findings, notes } = convert({ [column]: value })
  const field = column.replace(/_[a-z]/g, (found) => found.slice(1).toUpperCase()) as keyof typeof persona
  const about = findings.filter((finding) => finding.field === column)
  return [persona[field], [...about.map(({ kind }) => kind), ...notes.map(({ kind }) => kind)].join()]
}

describe('convertRow', () => {
  it('stores a row of the predecessor as this service would have stored it', () => {
    expect(convert()).toEqual({
      row: 5,
      persona: {
        id: '01234567-89ab-cdef-0123-456789abcdef',
        name: 'Sarah',
        appearance: 'short silver hair',
        personality: 'curious and warm',
        contentThemes: '["café","b"]',
        stylePreferences: '{"b":1,"a":[1.5]}',
        defaultContentRating: 'sfw',
        allowedContentRatings: '["sfw"]',
        platformRestrictions: '{}',
        baseAppearanceDescription: null,
        baseImagePath: null,
        appearanceLocked: false,
        baseImageStatus: 'draft',
        isActive: true,
        generationCount: 3,
        version: 1,
        createdAt: new Date('2024-02-29T23:59:59.000Z'),
        updatedAt: new Date('2024-02-29T23:59:59.500Z'),
      },
      findings: [],
      notes: [],
      hasTimesOfImport: false,
    })
  })

  it.each<[LegacyColumn, LegacyValue, unknown, string]>([
    ['id', '01234567-89AB-cdef-0123-456789abcdef', '01234567-89ab-cdef-0123-456789abcdef', ''],
    ['id', 'sarah', 'sarah', 'id'],
    ['id', 42n, '42', 'id'],
    ['name', 42n, '42', 'converted'],
    ['name', Buffer.from('Zoë'), 'Zoë', 'converted'],
    ['name', Buffer.from([0x41, 0xff]), 'A\u{FFFD}', 'replaced'],
    ['name', 'Sa\0rah', 'Sa\u{FFFD}rah', 'replaced'],
    ['name', new InvalidText(Buffer.from([0x41, 0xff]), 'A\u{FFFD}'), 'A\u{FFFD}', 'replaced'],
    ['name', null, '', 'replaced,rule'],
    ['name', 'Tom & Jerry', 'Tom & Jerry', 'rule'],
    ['name', ' x ', ' x ', 'rule'],
    ['name', `${' '.repeat(200)}Sarah`, `${' '.repeat(200)}Sarah`, ''],
    ['appearance', 'short', 'short', 'rule'],
    ['default_content_rating', 'SFW', 'sfw', 'respelled'],
    ['default_content_rating', 'ContentRating.SFW', 'sfw', 'respelled'],
    ['default_content_rating', 'nsfw', 'nsfw', 'rule'],
    ['default_content_rating', 'x', 'sfw', 'replaced'],
    ['base_image_status', 'PENDING_UPLOAD', 'pending_upload', 'respelled'],
    ['base_image_status', null, 'pending_upload', 'null'],
    ['allowed_content_ratings', '["SFW", "NSFW"]', '["sfw","nsfw"]', 'respelled'],
    ['allowed_content_ratings', '[]', '[]', 'rule'],
    ['allowed_content_ratings', null, '["sfw"]', 'null'],
    ['platform_restrictions', '{"x": "BOTH"}', '{"x":"both"}', 'respelled'],
    ['platform_restrictions', 'null', '{}', 'null'],
    ['style_preferences', '{"a": NaN}', '{}', 'replaced'],
    ['style_preferences', '[]', '{}', 'replaced'],
    ['style_preferences', '', '{}', 'replaced'],
    ['style_preferences', '{"a": 12345678901234567890}', '{"a": 12345678901234567890}', 'inexact'],
    ['style_preferences', '{"a": 1, "a": 2}', '{"a": 1, "a": 2}', 'inexact'],
    ['style_preferences', Buffer.from('{"a": 1}'), '{"a":1}', 'converted'],
    ['content_themes', '{}', '[]', 'replaced'],
    ['content_themes', 7n, '[]', 'replaced'],
    ['appearance_locked', null, false, 'null'],
    ['is_active', null, true, 'null'],
    ['is_active', 'False', false, 'converted'],
    ['is_active', 2n, true, 'converted'],
    ['is_active', 'maybe', true, 'replaced'],
    ['generation_count', null, 0, 'null'],
    ['generation_count', -1n, 0, 'replaced'],
    ['generation_count', 2n ** 31n - 1n, 2 ** 31 - 1, ''],
    ['generation_count', 2n ** 31n, 0, 'replaced'],
    ['generation_count', 1.5, 0, 'replaced'],
  ])('%s %p becomes %p (%s)', (column, value, stored, told) => {
    expect(converted(column, value)).toEqual([stored, told])
  })

  it.each<[string, string, string]>([
    ['2024-02-29 23:59:59.123456', '2024-02-29T23:59:59.123Z', 'shortened'],
    ['2024-02-29 23:59:59.123000', '2024-02-29T23:59:59.123Z', ''],
    ['2024-02-29T23:59:59', '2024-02-29T23:59:59.000Z', ''],
    ['2024-02-29T23:59:59.999Z', '2024-02-29T23:59:59.999Z', ''],
    ['2024-02-29 23:59:59+02:00', '2024-02-29T21:59:59.000Z', ''],
    ['2024-02-29 23:59:59-0130', '2024-03-01T01:29:59.000Z', ''],
    ['2024-02-29', '2024-02-29T00:00:00.000Z', ''],
    ['0001-01-01 00:00:00', '0001-01-01T00:00:00.000Z', ''],
    ['9999-12-31 23:59:59.999999', '9999-12-31T23:59:59.999Z', 'shortened'],
  ])('reads the time %s', (text, iso, told) => {
    expect(converted('created_at', text)).toEqual([new Date(iso), told])
  })

  it.each(['2023-02-29 00:00:00', '2024-01-01 24:00:00', '0000-01-01 00:00:00', '0001-01-01 00:00:00+01:00', 'today'])(
    'takes the other time for %s',
    (text) => {
      expect(converted('updated_at', text)).toEqual([new Date('2024-02-29T23:59:59.000Z'), 'replaced'])
    },
  )

  it('takes the time of the import for a row that has none', () => {
    const { persona, hasTimesOfImport, findings } = convert({ created_at: null, updated_at: null })
    expect([persona.createdAt, persona.updatedAt, hasTimesOfImport]).toEqual([NOW, NOW, true])
    expect(findings).toHaveLength(2)
  })

  it.each<[string, LegacyValue]>([
    ['is NULL', null],
    ['has U+0000', 'a\0b'],
    ['is longer than an index holds', 'x'.repeat(3_000)],
    ['is no text', Buffer.from([1, 2, 3])],
  ])('makes the same id each time for one that %s', (_what, id) => {
    const [one, other] = [convert({ id }), convert({ id })]
    expect(one.persona.id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    expect(other.persona.id).toBe(one.persona.id)
    expect(one.findings).toMatchObject([{ kind: 'replaced', field: 'id', row: 5, stored: one.persona.id }])
  })

  it('tells every broken rule with its place', () => {
    const { findings } = convert({
      content_themes: '["ok", "Hate Speech!", 3]',
      allowed_content_ratings: '["moderate"]',
      style_preferences: '{"a": "\\u0000"}',
    })
    expect(findings.map(({ kind, field }) => `${kind} ${field}`)).toEqual([
      'rule content_themes/1',
      'rule content_themes/2',
      'rule style_preferences/a',
      'rule default_content_rating',
    ])
  })

  it('keeps the original of what it replaces, in full', () => {
    const long = `${'x'.repeat(100_000)}\0`
    expect(convert({ appearance: long }).findings[0]).toMatchObject({ kind: 'replaced', original: long })
    expect(convert({ generation_count: -(2n ** 60n) }).findings[0]).toMatchObject({ original: String(-(2n ** 60n)) })
    expect(convert({ name: Buffer.from([0xff]) }).findings[0]).toMatchObject({ original: { blobHex: 'ff' } })
  })
})
