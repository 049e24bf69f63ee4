// The predecessor as a process that is killed: `node legacy-writer.mjs FILE once|forever`. Its first write gives every row
// a count of 1000, and is in the WAL alone. `forever` goes on as fast as it can: each transaction takes one from the count
// of a row and gives it to another, checkpoints follow soon, and so the sum of all counts never changes.
// Prints a line when the first write is committed.
import BetterSqlite3 from 'better-sqlite3'

const [file, mode] = process.argv.slice(2)
const database = new BetterSqlite3(file)
database.pragma('journal_mode = WAL')
database.pragma('synchronous = OFF')
database.pragma('wal_autocheckpoint = 0')
database.prepare('UPDATE personas SET generation_count = 1000').run()
process.stdout.write('written\n')

const rows = Number(database.prepare('SELECT count(*) FROM personas').pluck().get())
const move = database.prepare(
  `UPDATE personas SET generation_count = generation_count + CASE rowid WHEN ? THEN 1 ELSE -1 END WHERE rowid IN (?, ?)`,
)
const step = () => {
  const one = 1 + Math.floor(Math.random() * rows)
  const other = 1 + (one % rows)
  move.run(one, one, other)
  setImmediate(step)
}
if (mode === 'forever') {
  database.pragma('wal_autocheckpoint = 5')
  step()
} else {
  setInterval(() => undefined, 1_000)
}
