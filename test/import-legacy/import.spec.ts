import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Database } from '../../src/database/database.js'
import { WriteLockTimeoutError } from '../../src/database/database-errors.js'
import { importRows } from '../../src/import-legacy/import-rows.js'
import { LEGACY_COLUMNS, LegacyDatabase, type LegacyRow } from '../../src/import-legacy/legacy-database.js'
import { InvalidText, type LegacyValue } from '../../src/import-legacy/legacy-value.js'
import { PersonaTarget } from '../../src/import-legacy/persona-target.js'
import { canonicalId } from '../../src/personas/persona-id.js'
import { startApp, type TestApp } from '../support/app.js'
import { databases, type TestDatabase } from '../support/databases.js'
import { aLegacyRow, type Cells, Folders, legacyId, makeLegacyFile } from './legacy-file.js'

const PATH = '/api/v1/personas'
const PROPERTY_RUNS = 50
const COMPARED_ROWS = 300
const NOW = new Date('2026-05-06T07:08:09.010Z')
const nested = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`

/** Rows of which each breaks another rule, or cannot be stored as it is. */
const ODD_ROWS: readonly Cells[] = [
  { name: "<script>'&" },
  { name: 'x' },
  { name: 'long '.repeat(200) },
  { name: null, appearance: null, personality: null },
  { name: 'a\0b', style_preferences: '{"a": "\\u0000", "b": "\\ud800", "\\ud800": 1}' },
  { allowed_content_ratings: '[]', default_content_rating: 'nsfw' },
  { allowed_content_ratings: '[{"toString": 1, "valueOf": 1}, null, 3, ["sfw"]]' },
  { allowed_content_ratings: '["\\u0073fw", 12345678901234567890]' },
  { content_themes: '[1, {"a": 2}, null, "violence"]' },
  { style_preferences: '{"__proto__": {"x": 1}, "constructor": 1, "n": 1e400, "n": 123456789012345678901234567890}' },
  { style_preferences: nested(1_000) },
  { style_preferences: nested(1_001) },
  { style_preferences: '{"a": NaN}', content_themes: 'violence', platform_restrictions: '[]' },
  { platform_restrictions: '{"x": "weekends", "": null, "y": {"deep": true}}' },
  { default_content_rating: 'SAFE', base_image_status: 'gone', generation_count: -5 },
  { generation_count: 2n ** 40n, is_active: 'perhaps', appearance_locked: null },
  { created_at: null, updated_at: null },
  { created_at: 'long ago', is_active: null },
]
const EXTREME_ROWS: readonly Cells[] = [
  { generation_count: 2 ** 31 - 1 },
  { created_at: '0001-01-01 00:00:00', updated_at: '9999-12-31 23:59:59.999999' },
]

describe.each(Object.entries(databases))('an import into %s', (_name, create) => {
  const folders = new Folders()
  let target: TestDatabase
  let database: Database
  let app: TestApp

  beforeAll(async () => {
    target = await create()
    database = await target.connect()
    app = await startApp(target.url)
  })

  afterAll(async () => {
    await app.close()
    await database.close()
    await target.remove()
    folders.remove()
  })

  const importAll = (rows: Iterable<LegacyRow>, isDryRun = false) =>
    importRows(rows, { target: new PersonaTarget(database), isDryRun, now: new Date(), onProgress: () => undefined })

  async function importFile(cells: readonly Cells[], isDryRun = false) {
    const legacy = await LegacyDatabase.open(makeLegacyFile(folders.make(), cells))
    try {
      return await importAll(legacy.rows(), isDryRun)
    } finally {
      legacy.close()
    }
  }

  const get = async (id: string) => {
    const { statusCode, body } = await app.inject({ method: 'GET', url: `${PATH}/${id}` })
    return { statusCode, body: JSON.parse(body) as Record<string, unknown> }
  }
  const call = async (method: 'PATCH' | 'DELETE' | 'PUT' | 'POST', url: string, payload?: object) =>
    (await app.inject({ method, url: `${PATH}/${url}`, ...(payload && { payload }) })).statusCode

  it('keeps everything of a row that keeps the rules', async () => {
    const id = legacyId()
    const { rows, findings } = await importFile([aLegacyRow({ id })])
    expect({ rows, findings }).toEqual({
      rows: { read: 1, imported: 1, alreadyThere: 0, different: 0, notImported: 0 },
      findings: [],
    })
    expect((await get(id)).body).toEqual({
      id: canonicalId(id),
      name: 'Zoë of the Sea',
      appearance: 'short silver hair',
      personality: 'curious and warm',
      content_themes: ['technology', 'café'],
      style_preferences: { z: 1, a: { tone: 'dry' } },
      default_content_rating: 'sfw',
      allowed_content_ratings: ['sfw', 'moderate'],
      platform_restrictions: { instagram: 'sfw_only' },
      base_appearance_description: null,
      base_image_path: null,
      appearance_locked: false,
      base_image_status: 'draft',
      is_active: true,
      generation_count: 7,
      version: 1,
      created_at: '2024-02-29T23:59:59.123Z',
      updated_at: '2024-03-01T00:00:00.000Z',
    })
  })

  it('makes personas of rows that break rules: readable, listed, patchable, deletable', async () => {
    const rows = [...ODD_ROWS, ...EXTREME_ROWS].map((cells) => aLegacyRow(cells))
    const imported = await importFile(rows)
    expect(imported.rows).toMatchObject({ read: rows.length, imported: rows.length, notImported: 0 })
    // Each is told of, by its own id.
    const toldOf = new Set(imported.findings.map(({ id }) => id))
    const silent = rows.filter(({ id }) => !toldOf.has(canonicalId(String(id)) ?? ''))
    expect(silent).toEqual(rows.slice(ODD_ROWS.length))

    const listed = await app.inject({ method: 'GET', url: `${PATH}/?limit=100&active_only=false` })
    const ids = (JSON.parse(listed.body) as { id: string }[]).map(({ id }) => id)
    expect(ids).toEqual(expect.arrayContaining(rows.map(({ id }) => canonicalId(String(id)))))
    for (const { id } of rows) {
      expect((await get(String(id))).statusCode).toBe(200)
      expect(await call('PATCH', String(id), { base_image_path: 'images/new.png' })).toBe(200)
      expect(await call('PATCH', String(id), { style_preferences: null })).toBe(422)
      expect([200, 422]).toContain(await call('PATCH', String(id), { style_preferences: { tone: 'dry' } }))
      expect([200, 422]).toContain(await call('PATCH', String(id), { default_content_rating: 'moderate' }))
      expect([200, 422]).toContain(await call('POST', `${String(id)}/generations`, { count: 1 }))
      expect(await call('PUT', String(id), { allowed_content_ratings: ['sfw', 'moderate', 'nsfw'] })).toBe(200)
      expect(await call('DELETE', String(id))).toBe(204)
      expect((await get(String(id))).body).toMatchObject({ base_image_path: 'images/new.png', is_active: false })
    }
  })

  it('imports nothing again, and leaves alone what was edited since', async () => {
    const rows = [...ODD_ROWS, {}, {}].map((cells) => aLegacyRow(cells))
    await importFile(rows)
    const edited = String(rows.at(-1)?.id)
    await call('PATCH', edited, { name: 'Edited since' })
    await call('POST', `${edited}/generations`, { count: 2 })
    const { rows: counts, differences } = await importFile(rows)
    expect(counts).toEqual({
      read: rows.length,
      imported: 0,
      alreadyThere: rows.length - 1,
      different: 1,
      notImported: 0,
    })
    const fields = ['name', 'generation_count', 'version', 'updated_at']
    expect(differences).toEqual([{ id: canonicalId(edited), row: rows.length, fields }])
    expect((await get(edited)).body).toMatchObject({ name: 'Edited since', version: 2, generation_count: 9 })
  })

  it('keeps both of two rows whose ids are the same UUID, the second one with an id of its own', async () => {
    const id = legacyId()
    const rows = [aLegacyRow({ id, name: 'First' }), aLegacyRow({ id: id.toUpperCase(), name: 'Second' })]
    const { rows: counts, findings } = await importFile(rows)
    expect(counts).toMatchObject({ read: 2, imported: 2, notImported: 0 })
    expect(findings).toMatchObject([{ kind: 'duplicate-id', row: 2, original: id.toUpperCase() }])
    expect((await get(id)).body).toMatchObject({ name: 'First' })
    expect((await get(String(findings[0]?.id))).body).toMatchObject({ name: 'Second' })
    expect((await importFile(rows)).rows).toMatchObject({ imported: 0, alreadyThere: 2 })
  })

  it('writes nothing in a dry run, and says what it would do', async () => {
    const rows = [aLegacyRow(), aLegacyRow({ name: 'x' })]
    await importFile(rows.slice(0, 1))
    const before = await database.read((client) => client.persona.findMany())
    const { rows: counts, findings } = await importFile(rows, true)
    expect(counts).toEqual({ read: 2, imported: 1, alreadyThere: 1, different: 0, notImported: 0 })
    expect(findings).toMatchObject([{ kind: 'rule', field: 'name' }])
    expect(await database.read((client) => client.persona.findMany())).toEqual(before)
  })

  it('shares a file with another import at the same time: each row is there once', async () => {
    const rows = Array.from({ length: 500 }, () => aLegacyRow())
    const outcomes = await Promise.all([importFile(rows), importFile(rows)])
    const sum = (what: 'imported' | 'alreadyThere' | 'different' | 'notImported') =>
      outcomes.reduce((total, { rows: counts }) => total + counts[what], 0)
    expect([sum('imported'), sum('alreadyThere'), sum('different'), sum('notImported')]).toEqual([500, 500, 0, 0])
  })

  it('says how far it came when the database goes away, and goes on from there', async () => {
    const rows = await legacyRows(Array.from({ length: 250 }, () => aLegacyRow()))
    let writes = 0
    const leaving = withWrite(database, (write) => (work) => {
      writes += 1
      return writes > 1 ? Promise.reject(new WriteLockTimeoutError()) : write(work)
    })
    const options = { isDryRun: false, now: NOW, onProgress: () => undefined }
    const interrupted = importRows(rows, { ...options, target: new PersonaTarget(leaving) })
    await expect(interrupted).rejects.toThrow('200 rows had been imported before: run the import again')
    expect((await importAll(rows)).rows).toMatchObject({ imported: 50, alreadyThere: 200 })
  })

  it('tells of a row that the database refuses, with all of it, and imports its neighbours', async () => {
    const rows = await legacyRows([aLegacyRow(), aLegacyRow({ name: 'Refused' }), aLegacyRow()])
    const refusing = new PersonaTarget(failingOn('Refused', database))
    const options = { target: refusing, isDryRun: false, now: NOW, onProgress: () => undefined }
    const { rows: counts, findings } = await importRows(rows, options)
    expect(counts).toMatchObject({ read: 3, imported: 2, notImported: 1 })
    expect(findings).toMatchObject([{ kind: 'refused', row: 2, original: { name: 'Refused' } }])
  })

  async function legacyRows(cells: readonly Cells[]): Promise<LegacyRow[]> {
    const legacy = await LegacyDatabase.open(makeLegacyFile(folders.make(), cells))
    const rows = [...legacy.rows()]
    legacy.close()
    return rows
  }

  it('makes a persona that the API answers of every row there can be', async () => {
    let row = 0
    await fc.assert(
      fc.asyncProperty(fc.array(anyValues, { minLength: 1, maxLength: 12 }), async (many) => {
        const rows = many.map((values): LegacyRow => ({ row: ++row, values }))
        const { rows: counts, findings } = await importAll(rows)
        expect(findings.filter(({ kind }) => kind === 'refused')).toEqual([])
        expect(counts.read).toBe(rows.length)
        const again = await importAll(rows)
        expect(again.rows).toEqual({ ...counts, imported: 0, alreadyThere: counts.imported + counts.alreadyThere })
        const ids = [...new Set(again.findings.map(({ id }) => id))].filter((id) => canonicalId(id) !== null)
        for (const id of ids) expect((await get(id)).statusCode).toBe(200)
        const { statusCode } = await app.inject({ method: 'GET', url: `${PATH}/?limit=100&active_only=false` })
        expect(statusCode).toBe(200)
      }),
      { numRuns: PROPERTY_RUNS },
    )
  })
})

it('makes the same personas of the same rows in either database', async () => {
  const samples = fc.sample(anyValues, COMPARED_ROWS).map((values, index): LegacyRow => ({ row: index + 1, values }))
  const contents = Object.values(databases).map(async (create) => {
    const target = await create()
    const database = await target.connect()
    const options = { target: new PersonaTarget(database), isDryRun: false, now: NOW, onProgress: () => undefined }
    const { rows, findings } = await importRows(samples, options)
    const personas = await database.read((client) => client.persona.findMany())
    await database.close()
    await target.remove()
    return { rows, findings, personas: new Map(personas.map((persona) => [persona.id, persona])) }
  })
  const [one, other] = await Promise.all(contents)
  expect(one).toEqual(other)
  expect(one?.rows.imported).toBeGreaterThan(COMPARED_ROWS / 2)
})

type Write = Database['write']

/** A database that writes in another way. */
function withWrite(database: Database, change: (write: Write) => Write): Database {
  const write = change((work) => database.write(work))
  return new Proxy(database, {
    get: (_target, property) =>
      property === 'write' ? write : (Reflect.get(database, property, database) as () => unknown).bind(database),
  })
}

/** A database that refuses every INSERT of a persona with this name, in a way that nobody has thought of. */
function failingOn(name: string, database: Database): Database {
  return withWrite(database, (write) => (work) => {
    return write((client) => {
      const createMany = (given: { data: readonly { name: string }[] }) =>
        given.data.some((persona) => persona.name === name)
          ? Promise.reject(new Error('no such luck'))
          : client.persona.createMany(given as Parameters<typeof client.persona.createMany>[0])
      return work({ ...client, persona: { createMany } as unknown as typeof client.persona })
    })
  })
}

// Too long for an index of PostgreSQL, and too varied to be compressed to less.
const LONG_TEXT = Array.from({ length: 300 }, () => legacyId()).join('')
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom('', '\0', 'null', '\u{FEFF}x', '’', LONG_TEXT),
)
const anyJson = fc.oneof(
  fc.json({ stringUnit: 'binary' }),
  fc.array(fc.constantFrom('sfw', 'NSFW', 'x', '')).map((words) => JSON.stringify(words)),
  fc.dictionary(text, fc.constantFrom('both', 'ALL', 'x')).map((words) => JSON.stringify(words)),
  fc.constantFrom(
    '[1e999]',
    '{"a":1,"a":2}',
    '[',
    nested(999),
    nested(1_002),
    '{"a":12345678901234567890}',
    '["\\ud800"]',
  ),
)
const anyTime = fc.oneof(
  fc
    .date({ min: new Date('0000-12-30T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
    .map((time) => time.toISOString().replace('T', ' ').replace('Z', '456')),
  fc.constantFrom('2024-01-01 00:00:00', '0001-01-01 00:00:00', '2024-13-01 00:00:00', '9999-12-31T23:59:59-05:00'),
)
const anything: fc.Arbitrary<LegacyValue> = fc.oneof(
  fc.constant(null),
  text,
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.double(),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
  fc.uint8Array({ maxLength: 5 }).map((bytes) => new InvalidText(bytes, '\0\u{FFFD}')),
  anyJson,
  anyTime,
  fc.constantFrom('sfw', 'Moderate', 'APPROVED', 'true', '1', 0n, 1n, 2n ** 31n),
)
const wellFormed = (values: LegacyRow['values']) =>
  // What the decoder of a file cannot give: text with lone surrogates.
  Object.values(values).every((value) => typeof value !== 'string' || value.isWellFormed())
const anyValues = fc
  .record(
    Object.fromEntries(LEGACY_COLUMNS.map((name) => [name, anything])) as Record<
      keyof LegacyRow['values'],
      fc.Arbitrary<LegacyValue>
    >,
  )
  .chain((values) =>
    fc.oneof(
      fc.constant(values),
      fc.uuid().map((id) => ({ ...values, id })),
    ),
  )
  .filter(wellFormed)
