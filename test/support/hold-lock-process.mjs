// A foreign process that holds SQLite's write lock: `node hold-lock-process.mjs FILE`. It says "locked" when it has the lock and
// lets go of it when its standard input ends, so that it never outlives the test that started it.
import BetterSqlite3 from 'better-sqlite3'

const database = new BetterSqlite3(process.argv[2])
database.exec('BEGIN IMMEDIATE')
process.stdout.write('locked\n')
process.stdin.resume()
process.stdin.on('end', () => {
  database.exec('ROLLBACK')
  database.close()
})
