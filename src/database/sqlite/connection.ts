import { LRUCache } from 'lru-cache'
import type { SqlQuery, SqlResultSet } from '@prisma/driver-adapter-utils'
import type { OpenDriver, SqliteDriver, SqliteDriverStatement } from './driver.js'
import { isBusy, sqliteCodeOf, statementRefused } from './errors.js'
import type { SqliteObserver } from './observer.js'
import { applyPragmas, type ConnectionRole, type PragmaOptions } from './pragmas.js'
import { refusalOf } from './statement-kind.js'
import { type RowShape, rowShapeOf, toResultSet, toSqliteValue } from './values.js'
import { assertSafeSqliteVersion, sqliteVersion } from './version-gate.js'

export interface ConnectionOptions extends Omit<PragmaOptions, 'busyTimeoutMs'> {
  readonly file: string
  readonly role: ConnectionRole
  readonly openDriver: OpenDriver
  readonly observer: SqliteObserver
}

/** A statement that stays prepared, with what SQLite said about it. */
interface PreparedStatement {
  readonly statement: SqliteDriverStatement
  readonly isReadonly: boolean
  readonly shape: RowShape | null
}

/** The engine's own statements; nobody else may send them. */
export type ControlStatement =
  'BEGIN IMMEDIATE' | 'COMMIT' | 'ROLLBACK' | `${'SAVEPOINT' | 'RELEASE' | 'ROLLBACK TO'} ${string}`

// Prisma's statements differ by the fields and the number of values they name, and by nothing else.
const STATEMENTS_KEPT = 256
// The engine's own are a handful; Prisma's savepoints have a name of their own each time.
const CONTROLS_KEPT = 16

/** One connection: its PRAGMAs checked, its statements kept prepared, never waiting for a lock on the event loop. */
export class SqliteConnection {
  readonly #driver: SqliteDriver
  readonly #options: ConnectionOptions
  readonly #statements = new LRUCache<string, PreparedStatement>({ max: STATEMENTS_KEPT })
  readonly #plainStatements = new LRUCache<string, SqliteDriverStatement>({ max: STATEMENTS_KEPT })
  readonly #controls = new LRUCache<string, SqliteDriverStatement>({ max: CONTROLS_KEPT })

  private constructor(driver: SqliteDriver, options: ConnectionOptions) {
    this.#driver = driver
    this.#options = options
  }

  /**
   * Opens a connection and runs the bootstrap hook on it. SQLite waits for nothing, blocking: it says at once that a
   * lock is taken, and the engine waits in its place.
   * @throws UnsafeSqliteVersionError, PragmaMismatchError, or the driver's error: SQLITE_BUSY to try again
   */
  static open(options: ConnectionOptions): SqliteConnection {
    const { file, role, openDriver } = options
    const driver = openDriver(file, { readonly: role === 'reader', timeoutMs: 0 })
    try {
      assertSafeSqliteVersion(sqliteVersion(driver))
      applyPragmas(driver, role, { ...options, busyTimeoutMs: 0 })
      return new SqliteConnection(driver, options)
    } catch (error) {
      driver.close()
      throw error
    }
  }

  get isInTransaction(): boolean {
    return this.#driver.inTransaction
  }

  /**
   * Whether SQLite itself says that a statement does not write. The statement is prepared, not run.
   * @throws DriverAdapterError for a statement that the engine does not let through
   */
  isReadonly(sql: string): boolean {
    return this.#prepare(sql).isReadonly
  }

  /** Runs a statement and answers its rows; none for a statement that has no rows. */
  query(query: SqlQuery): SqlResultSet {
    const prepared = this.#prepare(query.sql)
    const values = bindValues(query)
    return this.#observed(query.sql, () => {
      if (prepared.shape) return toResultSet(prepared.shape, prepared.statement.all(...values) as unknown[][])
      prepared.statement.run(...values)
      return { columnNames: [], columnTypes: [], rows: [] }
    })
  }

  /** Runs a statement and answers how many rows it changed (for one that returns rows: how many it returned). */
  execute(query: SqlQuery): number {
    const prepared = this.#prepare(query.sql)
    const values = bindValues(query)
    return this.#observed(query.sql, () =>
      prepared.shape ? prepared.statement.all(...values).length : prepared.statement.run(...values).changes,
    )
  }

  /** Runs a statement that reads, and answers its rows as {@link query} does. */
  rows(sql: string, values: readonly unknown[]): readonly unknown[][] {
    return this.query({ sql, args: [...values], argTypes: [] }).rows
  }

  /** Runs a statement and answers its rows as SQLite has them: integers are numbers, exact up to 2^53. */
  plainRows(sql: string, values: readonly unknown[]): readonly unknown[][] {
    let statement = this.#plainStatements.get(sql)
    if (!statement) {
      statement = this.#driver.prepare<unknown[], unknown>(allowed(sql)).raw(true)
      this.#plainStatements.set(sql, statement)
    }
    const prepared = statement
    return this.#observed(sql, () => prepared.all(...values) as unknown[][])
  }

  /** A number that is another one after a commit of any other connection, in this process or not (PRAGMA data_version). */
  dataVersion(): number {
    return this.#answer('PRAGMA data_version')
  }

  /** A number that is another one after a change of the schema (PRAGMA schema_version). */
  schemaVersion(): number {
    return this.#answer('PRAGMA schema_version')
  }

  /** Runs one of the engine's own statements. */
  control(sql: ControlStatement): void {
    const prepared = this.#controls.get(sql) ?? this.#driver.prepare<unknown[], unknown>(sql)
    this.#controls.set(sql, prepared)
    this.#observed(sql, () => prepared.run())
  }

  /** Runs several statements, separated by semicolons. */
  executeScript(script: string): void {
    this.#observed(script, () => this.#driver.exec(script))
  }

  close(): void {
    this.#statements.clear()
    this.#plainStatements.clear()
    this.#driver.close()
  }

  #prepare(sql: string): PreparedStatement {
    const known = this.#statements.get(sql)
    if (known) return known
    const statement = this.#driver.prepare<unknown[], unknown>(allowed(sql))
    const shape = statement.reader ? rowShapeOf(statement) : null
    if (shape) statement.raw(true).safeIntegers(shape.needsBigInt)
    const prepared = { statement, isReadonly: statement.readonly, shape }
    this.#statements.set(sql, prepared)
    return prepared
  }

  // Asked with every read: not worth a line in a log.
  #answer(sql: string): number {
    let statement = this.#controls.get(sql)
    if (!statement) {
      statement = this.#driver.prepare<unknown[], unknown>(sql).pluck()
      this.#controls.set(sql, statement)
    }
    return statement.get() as number
  }

  #observed<T>(sql: string, run: () => T): T {
    const { observer, role } = this.#options
    const start = observer.onStatement ? performance.now() : 0
    try {
      return run()
    } catch (error) {
      const code = sqliteCodeOf(error)
      if (code === 'SQLITE_BUSY_SNAPSHOT') observer.onBusySnapshot?.()
      else if (code !== undefined && isBusy(error)) observer.onBusy?.({ code })
      throw error
    } finally {
      observer.onStatement?.({ sql, role, durationMs: performance.now() - start })
    }
  }
}

/** @throws DriverAdapterError for a statement that the engine does not let through */
function allowed(sql: string): string {
  // Before it is prepared: SQLite runs many a PRAGMA while it prepares it.
  const refusal = refusalOf(sql)
  if (refusal !== null) throw statementRefused(refusal)
  return sql
}

function bindValues(query: SqlQuery): unknown[] {
  return query.args.map((value, index) => toSqliteValue(value, query.argTypes[index]))
}
