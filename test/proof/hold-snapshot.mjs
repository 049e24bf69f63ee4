import BetterSqlite3 from 'better-sqlite3'

/**
 * A foreign process that reads a database and does not let go of what it has seen: `node hold-snapshot.mjs FILE`. It says
 * its process id when it has begun, and ends when its standard input does.
 */
const database = new BetterSqlite3(process.argv[2], { readonly: true })
database.exec('BEGIN')
database.prepare('SELECT count(*) FROM personas').get()
process.stdout.write(`${process.pid}\n`)
process.stdin.on('end', () => database.close())
process.stdin.resume()
