import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'

/** Opens the database of a server's folder for as long as `work` runs. */
export function withDatabase<T>(folder: string, work: (database: BetterSqlite3.Database) => T): T {
  const database = new BetterSqlite3(join(folder, 'gator.db'))
  try {
    return work(database)
  } finally {
    database.close()
  }
}
