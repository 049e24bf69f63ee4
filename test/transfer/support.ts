import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import BetterSqlite3 from 'better-sqlite3'
import pg from 'pg'
import { parseDatabaseUrl } from '../../src/config/database-url.js'
import { type DatabaseSettings, parseSettings } from '../../src/config/settings.js'
import { readMigrationFiles } from '../../src/database/migrations/migration-files.js'
import { packageRoot } from '../../src/package-root.js'
import { openSource, openTarget } from '../../src/transfer/open.js'
import type { Table } from '../../src/transfer/model.js'
import type { Source, Target } from '../../src/transfer/ports.js'
import { sharedPostgres } from '../support/postgres.js'

const GATOR = fileURLToPath(new URL('../../dist/cli/gator.js', import.meta.url))

export type Provider = 'sqlite' | 'postgresql'

const POSTGRESQL_HISTORY = `
  CREATE TABLE _prisma_migrations (
    id VARCHAR(36) PRIMARY KEY, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ,
    migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at TIMESTAMPTZ,
    started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0)`

/** A PostgreSQL database as `prisma migrate deploy` leaves it, in a fraction of the time. */
export async function migratedPostgres(): Promise<string> {
  const url = await (await sharedPostgres()).createDatabase()
  await onPostgres(url, async (client) => {
    await client.query(POSTGRESQL_HISTORY)
    for (const { name, checksum } of readMigrationFiles('postgresql')) {
      const file = join(packageRoot, 'prisma', 'migrations', 'postgresql', name, 'migration.sql')
      await client.query(readFileSync(file, 'utf8'))
      await client.query(
        `INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, applied_steps_count)
         VALUES ($1, $2, now(), $3, 1)`,
        [randomUUID(), checksum, name],
      )
    }
  })
  return url
}

const clients = new Map<string, Promise<pg.Client>>()

/** Runs `work` on the test's own connection to a database, which stays open until `closePostgres`. */
export async function onPostgres<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = clients.get(url) ?? connect(url)
  clients.set(url, client)
  return work(await client)
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return client
}

/** For `afterAll`: closes the connections of this file's tests. */
export async function closePostgres(): Promise<void> {
  for (const client of clients.values()) await (await client).end()
  clients.clear()
}

export function onSqlite<T>(url: string, work: (database: BetterSqlite3.Database) => T): T {
  const database = new BetterSqlite3(url.replace(/^file:/, ''), { timeout: 5_000 })
  try {
    return work(database)
  } finally {
    database.close()
  }
}

/** Runs SQL that means the same to both. */
export async function execute(url: string, sql: string): Promise<void> {
  if (url.startsWith('file:')) onSqlite(url, (database) => database.exec(sql))
  else await onPostgres(url, (client) => client.query(sql))
}

/** Runs a query that means the same to both; numbers arrive as text or as numbers. */
export async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  if (url.startsWith('file:'))
    return onSqlite(url, (database) => database.prepare(sql).all() as Record<string, unknown>[])
  return onPostgres(url, async (client) => (await client.query<Record<string, unknown>>(sql)).rows)
}

const FIELDS = [
  'id, name, appearance, personality, content_themes, style_preferences, default_content_rating',
  'allowed_content_ratings, platform_restrictions, base_appearance_description, base_image_path, base_image_status',
  'generation_count, version',
].join(', ')

/** Every column of every persona, in a form that each database makes by its own means. */
export function personasOf(url: string): Promise<Record<string, unknown>[]> {
  const isSqlite = url.startsWith('file:')
  const flag = (name: string) => (isSqlite ? name : `${name}::int AS ${name}`)
  // Prisma reads integers as milliseconds; SQLite's own functions would take them for days.
  const time = (name: string) =>
    isSqlite
      ? `CASE typeof(${name}) WHEN 'integer' THEN strftime('%Y-%m-%d %H:%M:%f', ${name} / 1000.0, 'unixepoch')
         ELSE strftime('%Y-%m-%d %H:%M:%f', ${name}) END AS ${name}`
      : `to_char(${name}, 'YYYY-MM-DD HH24:MI:SS.MS') AS ${name}`
  const columns = [FIELDS, flag('appearance_locked'), flag('is_active'), time('created_at'), time('updated_at')]
  const order = isSqlite ? 'id' : 'id COLLATE "C"'
  return query(url, `SELECT ${columns.join(', ')} FROM personas ORDER BY ${order}`)
}

const VALUES: Readonly<Record<Provider, (n: number) => string>> = {
  // Every other time as integer milliseconds, as older versions of Prisma's adapter wrote them.
  sqlite: (n) => (n % 2 ? `'2026-01-02T03:04:05.${100 + (n % 900)}+00:00'` : String(1_767_322_800_000 + n)),
  postgresql: (n) => `'2026-01-02 03:04:05.${100 + (n % 900)}'`,
}

/** Fills `personas` with `count` rows of all kinds: nulls, empty texts, quotes, beyond the BMP, both flags. */
export async function fill(url: string, count: number): Promise<void> {
  const isSqlite = url.startsWith('file:')
  const time = VALUES[isSqlite ? 'sqlite' : 'postgresql']
  const flag = (value: boolean) => (isSqlite ? Number(value) : value)
  for (let from = 0; from < count; from += 500) {
    const rows = Array.from({ length: Math.min(500, count - from) }, (_value, index) => {
      const n = from + index
      const id = `019aaf3e-0000-7000-8000-${n.toString(16).padStart(12, '0')}`
      const path = n % 3 ? `'/images/${n}.png'` : 'NULL'
      return `('${id}', 'O''Neill "${n}" \\ 🐊${n % 11 ? '' : '\u{FFFD}'}', '', 'curious', '["a", "ü"]', ${path}, ${flag(n % 2 === 0)},
        ${flag(n % 5 !== 0)}, ${n}, ${1 + (n % 7)}, ${time(n)}, ${time(n + 1)})`
    })
    await execute(
      url,
      `INSERT INTO personas (id, name, appearance, personality, content_themes, base_image_path, appearance_locked,
       is_active, generation_count, version, created_at, updated_at) VALUES ${rows.join(', ')}`,
    )
  }
}

/** What is in a database beside the data: the names of tables, triggers and functions that are none of the schema's. */
export async function leftovers(url: string): Promise<string[]> {
  const sql = url.startsWith('file:')
    ? `SELECT name FROM sqlite_master WHERE name LIKE '\\_gator%' ESCAPE '\\'`
    : `SELECT relname AS name FROM pg_class WHERE relname LIKE '\\_gator%'
       UNION SELECT tgname FROM pg_trigger WHERE tgname LIKE '\\_gator%'
       UNION SELECT proname FROM pg_proc WHERE proname LIKE '\\_gator%'`
  return (await query(url, sql)).map(({ name }) => String(name)).sort()
}

export function settingsOf(url: string): DatabaseSettings {
  const target = parseDatabaseUrl(url)
  if (!target) throw new Error(`not a database: ${url}`)
  return { ...parseSettings({}, false).database, target, busyTimeoutMs: 5_000 }
}

/** Opens both sides for as long as `work` runs. */
export async function withSides<T>(
  from: string,
  to: string,
  work: (source: Source, target: Target) => Promise<T>,
): Promise<T> {
  const source = await openSource(settingsOf(from))
  const target = await openTarget(settingsOf(to))
  if (!target) throw new Error('there is no target')
  try {
    return await work(source, target)
  } finally {
    await source.close()
    await target.close()
  }
}

/** The table of the personas, as a side sees it. */
export async function personasTable(side: Source | Target): Promise<Table> {
  const table = (await side.tables()).find(({ name }) => name === 'personas')
  if (!table) throw new Error('There is no table of personas.')
  return table
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** The command as a process of its own. */
export function gator(folder: string, ...args: string[]) {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [GATOR, ...args], {
    cwd: folder,
    env: { PATH, HOME, LOG_LEVEL: 'silent' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const stderr = text(child.stderr)
  const ended: Promise<Ended> = Promise.all([text(child.stdout), stderr, once(child, 'close')]).then(
    ([out, error]) => ({ code: child.exitCode, signal: child.signalCode, stdout: out, stderr: error }),
  )
  return { child, ended }
}

export const SILENT = { say: () => undefined, progress: () => ({ update: () => undefined, stop: () => undefined }) }
