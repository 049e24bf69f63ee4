import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { sharedPostgres } from '../support/postgres.js'
import { ProjectCopy, type Provider } from './command-line.js'
import { openDatabase, type TestDatabase } from './database.js'

const INDEXES = [
  'personas_created_at_id_idx',
  'personas_is_active_created_at_id_idx',
  'personas_default_content_rating_created_at_id_idx',
  'personas_base_image_status_created_at_id_idx',
  'personas_appearance_locked_created_at_id_idx',
  'personas_updated_at_id_idx',
  'personas_name_id_idx',
  'personas_generation_count_id_idx',
  'persona_terms_term_persona_id_idx',
  'personas_unindexed_persona_id_idx',
  'idempotency_keys_created_at_idx',
  'persona_revisions_persona_id_seq_at_version_idx',
]

/** Each CHECK constraint with values that it refuses. */
const CHECKS: Record<string, [column: string, refused: string[]]> = {
  personas_allowed_content_ratings_check: ['allowed_content_ratings', [`'{}'`, `'null'`]],
  personas_base_image_status_check: ['base_image_status', [`'lost'`, `''`, `'Draft'`]],
  personas_content_themes_check: ['content_themes', [`'{}'`, `'"theme"'`]],
  personas_default_content_rating_check: ['default_content_rating', [`'xxx'`, `''`, `'SFW'`]],
  personas_generation_count_check: ['generation_count', ['-1']],
  personas_platform_restrictions_check: ['platform_restrictions', [`'[]'`, `'1'`]],
  personas_style_preferences_check: ['style_preferences', [`'[]'`, `'"text"'`]],
  personas_version_check: ['version', ['0', '-1']],
}

/** PostgreSQL has a boolean type; SQLite keeps any number in a column of that name. */
const SQLITE_CHECKS: typeof CHECKS = {
  personas_appearance_locked_check: ['appearance_locked', ['2', '-1']],
  personas_is_active_check: ['is_active', ['2', '-1']],
}

const JSON_COLUMNS = ['allowed_content_ratings', 'content_themes', 'platform_restrictions', 'style_preferences']
const NOT_JSON = [`''`, `'sfw'`, `'["sfw"'`, `'{"a":}'`]

/** Those of the history, whose rows the triggers write, and of who follows it. */
const HISTORY_CHECKS = ['change_feed_id_check', 'persona_revisions_kind_check', 'persona_revisions_state_check']

const EXPECTED = { sqlite: { ...CHECKS, ...SQLITE_CHECKS }, postgresql: CHECKS }
const SCHEMAS = { sqlite: 'prisma/schema.prisma', postgresql: 'prisma/derived/postgresql.prisma' }

describe.each<Provider>(['sqlite', 'postgresql'])('the migrations for %s', (provider) => {
  let project: ProjectCopy
  const checks = EXPECTED[provider]
  let url: string
  let database: TestDatabase

  beforeAll(async () => {
    project = new ProjectCopy()
    url = provider === 'sqlite' ? project.sqliteUrl() : await (await sharedPostgres()).createDatabase()
    const deployed = await project.prisma(url, ['migrate', 'deploy'])
    if (deployed.code !== 0) throw new Error(deployed.output)
    database = await openDatabase(provider, url)
  })

  afterAll(async () => {
    await database.close()
    project.remove()
  })

  it('make the schema, without drift', async () => {
    const parameters = ['--from-migrations', project.migrations(provider), '--to-schema', SCHEMAS[provider]]
    const outcome = await project.prisma(url, ['migrate', 'diff', ...parameters, '--exit-code'])
    expect(outcome).toMatchObject({ code: 0, output: expect.stringContaining('No difference detected') })
  })

  it('leave each index in the database', async () => {
    expect(await database.indexes()).toEqual(expect.arrayContaining(INDEXES))
  })

  it('leave exactly the named CHECK constraints in the database', async () => {
    expect(await database.checks()).toEqual([...Object.keys(checks), ...HISTORY_CHECKS].sort())
  })

  it('accept a row of defaults', async () => {
    await database.query(insert('good', {}))
    expect(await database.query(`SELECT version FROM personas WHERE id = 'good'`)).toEqual([{ version: 1 }])
  })

  it('have triggers that write the history of every kind of change', async () => {
    await database.query(`UPDATE personas SET name = 'Grace' WHERE id = 'good'`)
    await database.query(`UPDATE personas SET write_context = '{}' WHERE id = 'good'`)
    await database.query(`DELETE FROM personas WHERE id = 'good'`)
    const history = await database.query('SELECT kind, state IS NULL AS is_empty FROM persona_revisions ORDER BY seq')
    expect(history.map(({ kind, is_empty: isEmpty }) => [kind, Boolean(isEmpty)])).toEqual([
      ['created', false],
      ['updated', false],
      ['erased', true],
    ])
  })

  it('have triggers that queue whoever is to be found by other words, and nobody else', async () => {
    await database.query(`DELETE FROM personas_unindexed`)
    await database.query(insert('found', {}))
    for (const change of [`version = 2`, `name = name`, `name = 'Grace'`, `content_themes = '["x"]'`, `id = 'other'`]) {
      await database.query(`UPDATE personas SET ${change} WHERE id IN ('found', 'other')`)
    }
    await database.query(`DELETE FROM personas WHERE id = 'other'`)
    const queue = await database.query('SELECT persona_id FROM personas_unindexed ORDER BY seq')
    const [inserted, named, themed, ...renamed] = queue.map(({ persona_id: id }) => id)
    expect([inserted, named, themed, renamed.sort()]).toEqual(['found', 'found', 'found', ['found', 'other', 'other']])
  })

  it.each([`'invented', '{}'`, `'updated', NULL`, `'erased', '{}'`])('refuse a revision of %s', async (values) => {
    const row = `INSERT INTO persona_revisions (persona_id, version, kind, state, changed, schema, at)
      VALUES ('bad', 1, ${values}, '[]', 1, '2026-01-01 00:00:00')`
    await expect(database.query(row)).rejects.toThrow(/persona_revisions_(kind|state)_check/)
  })

  it('refuse a second row of the change feed', async () => {
    const row = `INSERT INTO change_feed (id, epoch, floor) VALUES (2, '0', 0)`
    await expect(database.query(row)).rejects.toThrow('change_feed_id_check')
  })

  const refusals = Object.entries(checks).flatMap(([name, [column, values]]) =>
    values.map((value) => ({ name, column, value })),
  )
  it.each(refusals)('refuse $column = $value', async ({ name, column, value }) => {
    await expect(database.query(insert('bad', { [column]: value }))).rejects.toThrow(name)
  })

  const texts = JSON_COLUMNS.flatMap((column) => NOT_JSON.map((value) => ({ column, value })))
  it.each(texts)('refuse $column = $value, which is not JSON', async ({ column, value }) => {
    // PostgreSQL's cast refuses it before the constraint can compare anything.
    const reason = provider === 'sqlite' ? `personas_${column}_check` : 'invalid input syntax for type json'
    await expect(database.query(insert('bad', { [column]: value }))).rejects.toThrow(reason)
  })
})

/** An INSERT of a row that is valid but for the given columns (SQL literals). */
function insert(id: string, columns: Record<string, string>): string {
  const row = {
    id: `'${id}'`,
    name: `'Ada'`,
    appearance: `'tall'`,
    personality: `'kind'`,
    created_at: `'2026-01-01 00:00:00'`,
    updated_at: `'2026-01-01 00:00:00'`,
    ...columns,
  }
  return `INSERT INTO personas (${Object.keys(row).join(', ')}) VALUES (${Object.values(row).join(', ')})`
}
