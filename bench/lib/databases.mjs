import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import BetterSqlite3 from 'better-sqlite3'
import pg from 'pg'
import { termsOf } from '../../dist/personas/search-terms.js'
import { DESCRIPTION, FIRST_CREATED_AT, idOf } from './personas.mjs'

const MIGRATIONS = fileURLToPath(new URL('../../prisma/migrations', import.meta.url))
const CACHE = fileURLToPath(new URL('../.cache/databases', import.meta.url))

/** The digits of an id that are its number. */
const [PREFIX, DIGITS] = [idOf(0).slice(0, -12), 12]

const columns = 'id, name, appearance, personality, created_at, updated_at'
const SEEDS = {
  sqlite: `
    WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :count),
    times AS (SELECT n, strftime('%Y-%m-%dT%H:%M:%f+00:00', ${FIRST_CREATED_AT} + n, 'unixepoch') AS t FROM numbers)
    INSERT INTO personas (${columns})
    SELECT '${PREFIX}' || printf('%0${DIGITS}d', n), 'Persona ' || n, :description, :description, t, t FROM times`,
  postgresql: `
    INSERT INTO personas (${columns})
    SELECT '${PREFIX}' || lpad(n::text, ${DIGITS}, '0'), 'Persona ' || n, $2, $2, t, t
    FROM generate_series(0, $1::integer - 1) AS n, to_timestamp(${FIRST_CREATED_AT} + n) AS stamp,
      timezone('UTC', stamp) AS t`,
}

/** What the index of words has of each persona but for its number. */
const TERMS = JSON.stringify(
  termsOf({ name: 'Persona', appearance: DESCRIPTION, personality: DESCRIPTION, contentThemes: [] }),
)
const OWN = `INSERT INTO persona_terms (persona_id, term) SELECT id, 'w' || substr(name, length('Persona ') + 1) FROM personas`
/** Indexes the words as the server does: of so many it would be at work for minutes, beside what is measured. */
const INDEX = {
  sqlite: [
    `INSERT INTO persona_terms (persona_id, term) SELECT personas.id, value FROM personas, json_each(:terms)`,
    OWN,
  ],
  postgresql: [
    `INSERT INTO persona_terms (persona_id, term) SELECT personas.id, value FROM personas, json_array_elements_text($1) AS t (value)`,
    OWN,
  ],
}
const INDEXED = 'DELETE FROM personas_unindexed'

/**
 * Makes an SQLite database with so many personas in a folder; through the triggers each has its first revision.
 * @returns {string} the file
 */
export function makeSqlite(folder, count) {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${count}.db`)
  const unfinished = `${file}.unfinished.db`
  rmSync(unfinished, { force: true })
  const database = new BetterSqlite3(unfinished)
  // Nothing is lost with a file that is thrown away when this does not come to its end.
  database.pragma('journal_mode = OFF')
  database.pragma('synchronous = OFF')
  database.pragma('cache_size = -1000000')
  database.exec(migrationsOf('sqlite'))
  database.prepare(SEEDS.sqlite).run({ count, description: DESCRIPTION })
  const [common, own] = INDEX.sqlite
  database.prepare(common).run({ terms: TERMS })
  database.exec(`${own}; ${INDEXED}`)
  database.pragma('journal_mode = WAL')
  database.close()
  renameSync(unfinished, file)
  return file
}

/**
 * The same, made once for all runs: it takes as long as it is large. One that other migrations made, or another seed, is
 * made anew. The runs write to it: rows become no more, their revisions do.
 * @returns {{ file: string, isKept: boolean }} whether it was there already
 */
export function keptSqlite(count) {
  const key = createHash('sha256')
    .update(migrationsOf('sqlite'))
    .update(SEEDS.sqlite + INDEX.sqlite)
    .digest('hex')
    .slice(0, 16)
  const folder = join(CACHE, key)
  if (!existsSync(folder)) rmSync(CACHE, { recursive: true, force: true })
  const file = join(folder, `${count}.db`)
  const isKept = existsSync(file)
  return { file: isKept ? file : makeSqlite(folder, count), isKept }
}

const READ_AT_A_TIME = 4_194_304

/** Reads a file, so that the system's cache has it: a start is not to be measured by what ran before it. */
export function readThrough(file) {
  const bytes = Buffer.allocUnsafe(READ_AT_A_TIME)
  const descriptor = openSync(file)
  try {
    while (readSync(descriptor, bytes) > 0);
  } finally {
    closeSync(descriptor)
  }
}

/**
 * Makes a database with so many personas on a server.
 * @param {string} adminUrl
 * @param {string} name of the database
 * @param {number} count
 * @returns {Promise<string>} its URL
 */
export async function makePostgresql(adminUrl, name, count) {
  const url = new URL(adminUrl)
  url.pathname = `/${name}`
  await connected(adminUrl, (admin) => admin.query(`CREATE DATABASE "${name}"`))
  await connected(url.href, async (client) => {
    await client.query(migrationsOf('postgresql'))
    await client.query(SEEDS.postgresql, [count, DESCRIPTION])
    const [common, own] = INDEX.postgresql
    await client.query(common, [TERMS])
    await client.query(`${own}; ${INDEXED}`)
    // What autovacuum would do sooner or later, in the middle of a measurement.
    await client.query('VACUUM ANALYZE')
    await client.query('CHECKPOINT')
  })
  return url.href
}

function migrationsOf(provider) {
  return readdirSync(join(MIGRATIONS, provider), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((name) => readFileSync(join(MIGRATIONS, provider, name, 'migration.sql'), 'utf8'))
    .join('\n')
}

async function connected(url, work) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
