import { quoted, STATE } from '../bookkeeping.js'
import { type Key, keyOf, namesOf, type Row, type Table } from '../model.js'
import type { Batch, Target } from '../ports.js'
import { RowError, TransferError } from '../transfer-errors.js'
import { readTables } from './catalog.js'
import { labelOf, PostgresqlConnection, sqlStateOf } from './connect.js'
import { FIND_TRIGGERS } from './triggers.js'
import { toPostgresql } from './values.js'
import { keyArrays, PostgresqlView } from './view.js'

/** A number that nobody else uses; the lock is the session's, free when its process has died. */
const ADVISORY_LOCK = 1_952_804_467
/** How long the lock of a process that was killed may outlive it, until PostgreSQL has noticed. */
const LOCK_WAIT_MS = 1_000
const LOCK_NOT_AVAILABLE = '55P03'
/** Data exceptions and violated constraints: it is the row that is wrong. */
const WRONG_ROW = /^2[23]/

/** Why PostgreSQL cannot hold a text, or null. */
export function objectionTo(text: string): string | null {
  return text.includes('\0') ? 'holds U+0000, which PostgreSQL has no place for' : null
}

/** A PostgreSQL database that is filled. */
export class PostgresqlTarget implements Target {
  readonly identity: string
  readonly label: string
  readonly #view: PostgresqlView

  private constructor(
    private readonly connection: PostgresqlConnection,
    url: string,
  ) {
    this.identity = connection.identity
    this.label = labelOf(url)
    this.#view = new PostgresqlView(connection)
  }

  static async open(url: string): Promise<PostgresqlTarget> {
    return new PostgresqlTarget(await PostgresqlConnection.open(url), url)
  }

  tables(): Promise<Table[]> {
    return readTables(this.connection)
  }

  count(table: Table): Promise<number> {
    return this.#view.count(table)
  }

  rows(table: Table, keys: readonly Key[]): Promise<Row[]> {
    return this.#view.rows(table, keys)
  }

  async lock(): Promise<void> {
    try {
      await this.connection.run(`SET lock_timeout = ${LOCK_WAIT_MS}`)
      await this.connection.rows('SELECT pg_advisory_lock($1)', [ADVISORY_LOCK])
      await this.connection.run('SET lock_timeout = 0')
    } catch (error) {
      if (sqlStateOf(error) !== LOCK_NOT_AVAILABLE) throw error
      throw new TransferError(`Another transfer to ${this.label} is running.`, { cause: error })
    }
  }

  async loadState(): Promise<string | null> {
    if ((await this.connection.value('SELECT to_regclass($1)', [STATE])) === null) return null
    return this.connection.value(`SELECT state FROM ${STATE}`)
  }

  async write(batches: readonly Batch[], state: string): Promise<void> {
    try {
      await this.connection.transaction(async () => {
        await this.#withoutTriggers(async () => {
          for (const batch of batches) await this.#replace(batch)
        })
        await this.#saveState(state)
      })
    } catch (error) {
      if (!WRONG_ROW.test(sqlStateOf(error) ?? '')) throw error
      await this.#findWrongRow(batches)
      throw error
    }
  }

  // Rows arrive in the order of the keys, not of the references, and a constraint cannot be switched off.
  async suspendForeignKeys(stateOf: (statements: readonly string[]) => string): Promise<void> {
    await this.connection.transaction(async () => {
      const found = await this.connection.rows(
        `SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
         WHERE contype = 'f' AND connamespace = quote_ident(current_schema())::regnamespace AND conparentid = 0 ORDER BY 1, 2`,
      )
      const constraints = found.map(([table, name, definition]) => ({ table, name: quoted(name ?? ''), definition }))
      for (const { table, name } of constraints)
        await this.connection.run(`ALTER TABLE ${table} DROP CONSTRAINT ${name}`)
      const back = constraints.map(
        ({ table, name, definition }) =>
          `ALTER TABLE ${table} DROP CONSTRAINT IF EXISTS ${name}, ADD CONSTRAINT ${name} ${definition}`,
      )
      await this.connection.run(`CREATE TABLE IF NOT EXISTS ${STATE} (id int PRIMARY KEY, state text NOT NULL)`)
      await this.#saveState(stateOf(back))
    })
  }

  async restoreForeignKeys(statements: readonly string[], state: string): Promise<void> {
    try {
      await this.connection.transaction(async () => {
        for (const statement of statements) await this.connection.run(statement)
        await this.#saveState(state)
      })
    } catch (error) {
      if (!WRONG_ROW.test(sqlStateOf(error) ?? '')) throw error
      throw new TransferError(`A row refers to one that is not there: ${(error as Error).message}`, { cause: error })
    }
  }

  async sequences(): Promise<{ table: string; column: string }[]> {
    const rows = await this.connection.rows(
      `SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
       WHERE c.relnamespace = quote_ident(current_schema())::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0
         AND NOT a.attisdropped AND pg_get_serial_sequence(quote_ident(c.relname), a.attname) IS NOT NULL`,
    )
    return rows.map(([table, column]) => ({ table: table ?? '', column: column ?? '' }))
  }

  async advance(table: string, column: string, value: string): Promise<void> {
    await this.connection.rows('SELECT setval(pg_get_serial_sequence($1, $2), $3::bigint)', [
      quoted(table),
      column,
      value,
    ])
  }

  async analyze(tables: readonly Table[]): Promise<void> {
    for (const { name } of tables) await this.connection.run(`ANALYZE ${quoted(name)}`)
  }

  async empty(tables: readonly Table[]): Promise<void> {
    const names = tables.map(({ name }) => quoted(name)).join(', ')
    await this.connection.transaction(() =>
      this.#withoutTriggers(() => this.connection.run(`TRUNCATE ${names} RESTART IDENTITY`)),
    )
  }

  async dropState(): Promise<void> {
    await this.connection.run(`DROP TABLE IF EXISTS ${STATE}`)
  }

  objectionTo(text: string): string | null {
    return objectionTo(text)
  }

  close(): Promise<void> {
    return this.connection.close()
  }

  // What the schema's own triggers wrote on the source arrives as rows. They are off and on again in one transaction, so
  // that they are in force whatever happens.
  async #withoutTriggers(work: () => Promise<void>): Promise<void> {
    const triggers = await this.connection.rows(FIND_TRIGGERS)
    for (const [table, name] of triggers) await this.connection.run(`ALTER TABLE ${table} DISABLE TRIGGER ${name}`)
    await work()
    for (const [table, name] of triggers) await this.connection.run(`ALTER TABLE ${table} ENABLE TRIGGER ${name}`)
  }

  async #saveState(state: string): Promise<void> {
    await this.connection.rows(
      `INSERT INTO ${STATE} (id, state) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET state = EXCLUDED.state`,
      [state],
    )
  }

  // Rows that stand in the way of a unique constraint are older than those that come: their own changes are in the log.
  async #replace({ table, keys, rows }: Batch): Promise<void> {
    const name = quoted(table.name)
    await this.connection.rows(
      `DELETE FROM ${name} WHERE ${await this.#view.keyCondition(table, 1)}`,
      keyArrays(table, keys),
    )
    if (rows.length === 0) return
    const column = (index: number) =>
      rows.map((row) => toPostgresql(table.columns[index]?.kind ?? 'text', row[index] ?? null))
    for (const unique of table.uniques) {
      const names = namesOf(table, unique).map(quoted).join(', ')
      const arrays = (await this.#view.types(table, unique)).map((type, place) => `$${place + 1}::${type}[]`)
      await this.connection.rows(
        `DELETE FROM ${name} WHERE (${names}) IN (SELECT * FROM unnest(${arrays.join(', ')}))`,
        unique.map(column),
      )
    }
    const all = table.columns.map((_column, index) => index)
    const arrays = (await this.#view.types(table, all)).map((type, place) => `$${place + 1}::${type}[]`)
    // Identity columns keep the numbers that they have had.
    await this.connection.rows(
      `INSERT INTO ${name} (${namesOf(table, all).map(quoted).join(', ')}) OVERRIDING SYSTEM VALUE
       SELECT * FROM unnest(${arrays.join(', ')})`,
      all.map(column),
    )
  }

  /** @throws RowError for the first row that cannot be written by itself either */
  async #findWrongRow(batches: readonly Batch[]): Promise<void> {
    for (const { table, rows } of batches) {
      for (const row of rows) await this.#tryRow(table, row)
    }
  }

  async #tryRow(table: Table, row: Row): Promise<void> {
    await this.connection.run('BEGIN')
    try {
      const batch = { table, keys: [keyOf(table, row)], rows: [row] }
      await this.#withoutTriggers(() => this.#replace(batch))
    } catch (error) {
      throw new RowError(table, keyOf(table, row), (error as Error).message, { cause: error })
    } finally {
      await this.connection.run('ROLLBACK').catch(() => undefined)
    }
  }
}
