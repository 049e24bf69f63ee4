import BetterSqlite3 from 'better-sqlite3'
import { sqliteCodeOf } from '../database/sqlite/errors.js'
import { copyDatabase, type DatabaseCopy } from './legacy-copy.js'
import { LegacyFileError } from './legacy-file.error.js'
import { InvalidText, type LegacyValue } from './legacy-value.js'

/** The columns of the predecessor's table that have a place here. */
export const LEGACY_COLUMNS = [
  'id',
  'name',
  'appearance',
  'personality',
  'content_themes',
  'style_preferences',
  'default_content_rating',
  'allowed_content_ratings',
  'platform_restrictions',
  'base_appearance_description',
  'base_image_path',
  'appearance_locked',
  'base_image_status',
  'is_active',
  'generation_count',
  'created_at',
  'updated_at',
] as const
export type LegacyColumn = (typeof LEGACY_COLUMNS)[number]

/** A row of the predecessor. Columns that its table does not have are NULL. */
export interface LegacyRow {
  /** SQLite's rowid, by which the row can be found in the old file; where there is none, its place, from 1. */
  readonly row: number
  readonly values: Readonly<Record<LegacyColumn, LegacyValue>>
}

/** What there is in the file besides the rows. */
export interface LegacyStructure {
  readonly rows: number
  /** Columns that have no place here, with how many rows have a value there. */
  readonly unknownColumns: readonly { readonly name: string; readonly values: number }[]
  /** Known columns that the table does not have. */
  readonly missingColumns: readonly LegacyColumn[]
  /** Tables that have no place here; null rows for one that cannot be read without its extension. */
  readonly unknownTables: readonly { readonly name: string; readonly rows: number | null }[]
}

const TABLE = 'personas'
const OURS = '_prisma_migrations'
// What quick_check says of rows that break a declaration of their own table: the rows are sound, and are kept.
const NOT_DAMAGE = /^(?:NULL value in|CHECK constraint failed in|\S+ value in|non-\S+ value in)/

/** The predecessor's database: a consistent private copy, so that the original is never changed, locked or kept open. */
export class LegacyDatabase {
  private constructor(
    private readonly file: string,
    private readonly database: BetterSqlite3.Database,
    readonly structure: LegacyStructure,
  ) {}

  /** @throws LegacyFileError when it is missing, not a database, damaged, without personas, or one of this project's */
  static async open(file: string): Promise<LegacyDatabase> {
    const copy = await copyDatabase(file)
    try {
      const database = openCopy(copy)
      try {
        assertLegacy(database, file)
        return new LegacyDatabase(file, database, readStructure(database))
      } catch (error) {
        database.close()
        throw error
      }
    } catch (error) {
      throw explained(error, file)
    } finally {
      // Open, it can be read without a name: whatever happens to this process, no copy of the data stays behind.
      copy.remove()
    }
  }

  /**
   * Every row, in the order of the table.
   * @throws LegacyFileError when the file turns out to be damaged
   */
  *rows(): Generator<LegacyRow> {
    try {
      yield* this.#rows()
    } catch (error) {
      throw explained(error, this.file)
    }
  }

  *#rows(): Generator<LegacyRow> {
    const decode = textDecoder(this.database)
    const present = LEGACY_COLUMNS.filter((name) => !this.structure.missingColumns.includes(name))
    const rowid = hasRowid(this.database) ? 'rowid' : 'row_number() OVER ()'
    // Text as bytes: the driver would put U+FFFD in the place of invalid ones without a word.
    const columns = present.map((name) => `typeof("${name}"), CAST("${name}" AS BLOB), "${name}"`)
    const statement = this.database
      .prepare<[], unknown[]>(`SELECT ${[rowid, ...columns].join(', ')} FROM "${TABLE}" NOT INDEXED`)
      .raw(true)
      .safeIntegers(true)
    for (const [row, ...cells] of statement.iterate()) {
      const values = LEGACY_COLUMNS.map((name): [LegacyColumn, LegacyValue] => {
        const place = present.indexOf(name) * 3
        if (place < 0) return [name, null]
        const [type, bytes, value] = cells.slice(place, place + 3)
        return [name, type === 'text' ? decode(bytes as Uint8Array) : (value as LegacyValue)]
      })
      yield { row: Number(row), values: Object.fromEntries(values) as Record<LegacyColumn, LegacyValue> }
    }
  }

  close(): void {
    this.database.close()
  }
}

function openCopy({ file }: DatabaseCopy): BetterSqlite3.Database {
  const database = new BetterSqlite3(file, { fileMustExist: true })
  // The copy's WAL goes into the copy, so that one open file is all of it.
  database.pragma('journal_mode = DELETE')
  for (const setting of ['trusted_schema = 0', 'cell_size_check = 1', 'temp_store = MEMORY', 'query_only = 1']) {
    database.pragma(setting)
  }
  database.exec('BEGIN')
  return database
}

function assertLegacy(database: BetterSqlite3.Database, file: string): void {
  const tables = new Set(tableNames(database).map((name) => name.toLowerCase()))
  if (tables.has(OURS)) {
    throw new LegacyFileError(`${file} is a database of this service already: it has a table ${OURS}.`)
  }
  if (!tables.has(TABLE)) throw new LegacyFileError(`${file} has no table ${TABLE}: it is not the predecessor's file.`)
  if (!columnNames(database).some((name) => name.toLowerCase() === 'id')) {
    throw new LegacyFileError(`The table ${TABLE} of ${file} has no column id: it is not the predecessor's file.`)
  }
  const found = database.prepare<[], string>('PRAGMA quick_check').pluck().all()
  const damage = found.filter((line) => line !== 'ok' && !NOT_DAMAGE.test(line))
  if (damage.length > 0) throw damaged(file, damage[0] ?? '')
}

function readStructure(database: BetterSqlite3.Database): LegacyStructure {
  const columns = columnNames(database)
  const known: readonly string[] = LEGACY_COLUMNS
  const count = (what: string, table: string) =>
    database
      .prepare<[], number>(`SELECT count(${what}) FROM ${quoted(table)}`)
      .pluck()
      .get() ?? 0
  return {
    rows: count('*', TABLE),
    unknownColumns: columns
      .filter((name) => !known.includes(name.toLowerCase()))
      .map((name) => ({ name, values: count(quoted(name), TABLE) })),
    missingColumns: LEGACY_COLUMNS.filter((name) => !columns.some((column) => column.toLowerCase() === name)),
    unknownTables: tableNames(database)
      .filter((name) => name.toLowerCase() !== TABLE)
      .map((name) => ({ name, rows: countOrNull(() => count('*', name)) })),
  }
}

function countOrNull(count: () => number): number | null {
  try {
    return count()
  } catch {
    return null
  }
}

function tableNames(database: BetterSqlite3.Database): string[] {
  return database
    .prepare<[], string>(
      `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name`,
    )
    .pluck()
    .all()
}

function columnNames(database: BetterSqlite3.Database): string[] {
  return database.prepare<[], string>(`SELECT name FROM pragma_table_xinfo('${TABLE}') ORDER BY cid`).pluck().all()
}

function hasRowid(database: BetterSqlite3.Database): boolean {
  try {
    database.prepare(`SELECT rowid FROM "${TABLE}"`)
    return true
  } catch {
    return false
  }
}

function textDecoder(database: BetterSqlite3.Database): (bytes: Uint8Array | null) => string | InvalidText {
  const encoding = String(database.pragma('encoding', { simple: true })).toLowerCase()
  const strict = new TextDecoder(encoding, { fatal: true, ignoreBOM: true })
  const lenient = new TextDecoder(encoding, { ignoreBOM: true })
  return (bytes) => {
    try {
      return strict.decode(bytes ?? new Uint8Array())
    } catch {
      return new InvalidText(bytes ?? new Uint8Array(), lenient.decode(bytes ?? new Uint8Array()))
    }
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function damaged(file: string, detail: string): LegacyFileError {
  return new LegacyFileError(`${file} is damaged (${detail}): recover it first, for example with "sqlite3 .recover".`)
}

function explained(error: unknown, file: string): unknown {
  const code = sqliteCodeOf(error)
  if (code === undefined) return error
  if (code.startsWith('SQLITE_NOTADB')) return new LegacyFileError(`${file} is not an SQLite database.`)
  const message = (error as Error).message
  if (code.startsWith('SQLITE_CORRUPT')) return damaged(file, message)
  return new LegacyFileError(`${file} cannot be read: ${message} (${code})`, { cause: error })
}
