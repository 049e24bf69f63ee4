import { createInterface } from 'node:readline'
import BetterSqlite3 from 'better-sqlite3'

/**
 * A foreign process that takes the write lock of the database named on its command line, and keeps it until its
 * standard input says `release`. It also ends, and lets go, when that input ends.
 */
const database = new BetterSqlite3(process.argv[2], { timeout: 10_000 })
const answers = {
  take: () => database.exec('BEGIN IMMEDIATE'),
  release: () => database.exec('COMMIT'),
}

for await (const command of createInterface({ input: process.stdin })) {
  answers[command]()
  process.stdout.write(`${command}\n`)
}
