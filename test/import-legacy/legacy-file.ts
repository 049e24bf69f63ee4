import { createHash, randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { LEGACY_COLUMNS, type LegacyColumn } from '../../src/import-legacy/legacy-database.js'

/** What better-sqlite3 binds: any of it may stand in any column. */
export type Cell = string | number | bigint | Buffer | null
export type Cells = Partial<Record<LegacyColumn, Cell>>

/** The table as the predecessor's library declares it. NOT NULL is left out: a file may be older than the declaration. */
export const LEGACY_TABLE = `CREATE TABLE personas (
  id CHAR(32), name VARCHAR(255), appearance TEXT, personality TEXT, content_themes JSON, style_preferences JSON,
  default_content_rating VARCHAR(8), allowed_content_ratings JSON, platform_restrictions JSON,
  base_appearance_description TEXT, base_image_path VARCHAR(500), appearance_locked BOOLEAN,
  base_image_status VARCHAR(14), is_active BOOLEAN, generation_count INTEGER, created_at DATETIME, updated_at DATETIME,
  PRIMARY KEY (id))`

export function legacyId(): string {
  return randomUUID().replaceAll('-', '')
}

/** A row as the predecessor writes it (JSON with Python's spaces and escapes), with what a test cares about over it. */
export function aLegacyRow(cells: Cells = {}): Record<LegacyColumn, Cell> {
  return {
    id: legacyId(),
    name: 'Zoë of the Sea',
    appearance: 'short silver hair',
    personality: 'curious and warm',
    content_themes: '["technology", "caf\\u00e9"]',
    style_preferences: '{"z": 1, "a": {"tone": "dry"}}',
    default_content_rating: 'sfw',
    allowed_content_ratings: '["sfw", "moderate"]',
    platform_restrictions: '{"instagram": "sfw_only"}',
    base_appearance_description: null,
    base_image_path: null,
    appearance_locked: 0,
    base_image_status: 'draft',
    is_active: 1,
    generation_count: 7,
    created_at: '2024-02-29 23:59:59.123456',
    updated_at: '2024-03-01 00:00:00',
    ...cells,
  }
}

/** Temporary folders of a test, and one call that removes all of them. */
export class Folders {
  readonly #folders: string[] = []

  make(): string {
    const folder = mkdtempSync(join(tmpdir(), 'gator-legacy-'))
    this.#folders.push(folder)
    return folder
  }

  remove(): void {
    for (const folder of this.#folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  }
}

/** Makes `gator.db` of the predecessor in a folder, closed in order, and answers its path. */
export function makeLegacyFile(folder: string, rows: readonly Cells[], script = ''): string {
  const file = join(folder, 'gator.db')
  const database = new BetterSqlite3(file)
  database.exec(LEGACY_TABLE)
  insertRows(database, rows)
  database.exec(script)
  database.close()
  return file
}

export function insertRows(database: BetterSqlite3.Database, rows: readonly Cells[]): void {
  const places = LEGACY_COLUMNS.map(() => '?').join()
  const statement = database.prepare(`INSERT INTO personas (${LEGACY_COLUMNS.join()}) VALUES (${places})`)
  const insertAll = database.transaction(() => {
    for (const row of rows) statement.run(LEGACY_COLUMNS.map((name) => row[name] ?? null))
  })
  insertAll()
}

/** Every file of a folder by the hash of its bytes. */
export function contentsOf(folder: string): Record<string, string> {
  const hash = (name: string) =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex')
  return Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [name, hash(name)]),
  )
}
