import type { TestDatabase } from '../support/databases.js'

/** One in so many has the rare status, and one the rare word. */
export const RARITY = 20_000

const NUMBERS = {
  SQLite: (count: number) => `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${count - 1})`,
  PostgreSQL: (count: number) => `WITH n (i) AS (SELECT generate_series(0::bigint, ${count - 1}))`,
} as const

/** A text of an expression's value, in hexadecimal or as a time so many seconds after the first. */
const FORMS = {
  SQLite: {
    id: `printf('%08x-0000-7000-8000-000000000000', i)`,
    time: (seconds: string) => `strftime('%Y-%m-%dT%H:%M:%f+00:00', 1700000000 + ${seconds}, 'unixepoch')`,
  },
  PostgreSQL: {
    id: `lpad(to_hex(i), 8, '0') || '-0000-7000-8000-000000000000'`,
    time: (seconds: string) => `timestamp '2023-11-14 22:13:20' + (${seconds}) * interval '1 second'`,
  },
} as const

/** A number for each from 0 to count - 1 that has nothing to do with the order of creation. */
const shuffled = (count: number) => `((i * 7919) % ${count})`

/**
 * Fills an empty database with personas, and the index of those of their words that tests ask for: in seconds, past the
 * triggers, which would write a history as well. `i` counts in the order of creation.
 */
export async function fillWithPersonas(database: TestDatabase, count: number): Promise<void> {
  const { id, time } = FORMS[database.name]
  const numbers = NUMBERS[database.name](count)
  const isRare = `i % ${RARITY} = ${RARITY - 1}`
  const personas = `
    INSERT INTO personas (id, name, appearance, personality, content_themes, default_content_rating,
      allowed_content_ratings, base_image_status, appearance_locked, is_active, generation_count, created_at, updated_at)
    ${numbers} SELECT ${id}, 'Persona ' || ${shuffled(count)}, 'silver hair, round glasses',
      CASE WHEN ${isRare} THEN 'curious and rare' ELSE 'curious and warm' END,
      CASE WHEN i % 4 = 0 THEN '["technology"]' ELSE '[]' END,
      CASE WHEN i % 3 = 0 THEN 'nsfw' ELSE 'sfw' END, '["sfw","nsfw"]',
      CASE WHEN ${isRare} THEN 'draft' ELSE 'approved' END, ${database.name === 'SQLite' ? 'i % 2' : 'i % 2 = 1'},
      i % 50 > 0, i % 1000, ${time('i')}, ${time(shuffled(count))}
    FROM n`
  const terms = [
    ...['wsilver', 'wcurious'].map((word) => `${numbers} SELECT ${id}, '${word}' FROM n`),
    `${numbers} SELECT ${id}, 'wrare' FROM n WHERE ${isRare}`,
    `${numbers} SELECT ${id}, 'ttechnology' FROM n WHERE i % 4 = 0`,
  ]
  const counts =
    'INSERT INTO persona_counts (slot, total, active) SELECT 1, count(*), count(*) FILTER (WHERE is_active) FROM personas'
  const statements = [
    personas,
    counts,
    ...terms.map((select) => `INSERT INTO persona_terms (persona_id, term) ${select}`),
  ]
  // With room for the indexes in SQLite's memory, whose entries come in no order.
  const room = database.name === 'SQLite' ? 'PRAGMA cache_size = -400000;' : ''
  await withoutTriggers(database, async () => {
    await database.query(`BEGIN; ${room} ${statements.join(';')}; COMMIT`)
  })
  // As autovacuum does sooner or later. SQLite needs no statistics, and the service makes none.
  if (database.name === 'PostgreSQL') await database.query('ANALYZE')
}

async function withoutTriggers(database: TestDatabase, work: () => Promise<void>): Promise<void> {
  if (database.name === 'PostgreSQL') {
    await database.query('ALTER TABLE personas DISABLE TRIGGER USER')
    await work()
    await database.query('ALTER TABLE personas ENABLE TRIGGER USER')
    return
  }
  const triggers = await database.query(`SELECT name, sql FROM sqlite_master WHERE type = 'trigger'`)
  for (const { name } of triggers) await database.query(`DROP TRIGGER ${String(name)}`)
  await work()
  for (const { sql } of triggers) await database.query(String(sql))
}
