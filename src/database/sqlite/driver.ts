import BetterSqlite3 from 'better-sqlite3'

/** The driver below the engine. An alias, so that tests can put a faulty one in its place. */
export type SqliteDriver = BetterSqlite3.Database
export type SqliteDriverStatement = BetterSqlite3.Statement<unknown[], unknown>

export interface OpenDriverOptions {
  readonly readonly: boolean
  /** Whether a writer must find the file, too, and never makes it. */
  readonly mustExist?: boolean
  /** How long opening may wait, blocking, for another process to finish recovery or a change of journal mode. */
  readonly timeoutMs: number
}

export type OpenDriver = (file: string, options: OpenDriverOptions) => SqliteDriver

/** Opens a database file with better-sqlite3. A writer creates the file when it is missing, a reader does not. */
export const openBetterSqlite3: OpenDriver = (file, options) =>
  new BetterSqlite3(file, {
    readonly: options.readonly,
    fileMustExist: options.readonly || options.mustExist === true,
    timeout: options.timeoutMs,
  })

/** Writes a page as it is, in the transaction that is open: nothing changes, but its COMMIT has something to write. */
export function writeNothing(driver: SqliteDriver): void {
  driver.pragma(`user_version = ${String(driver.pragma('user_version', { simple: true }))}`)
}

/** Opens a file to read for as long as `work` runs. */
export function reading<T>(file: string, work: (driver: SqliteDriver) => T, timeoutMs = 0): T {
  const driver = openBetterSqlite3(file, { readonly: true, timeoutMs })
  try {
    return work(driver)
  } finally {
    driver.close()
  }
}
