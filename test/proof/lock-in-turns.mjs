import { setTimeout as delay } from 'node:timers/promises'
import BetterSqlite3 from 'better-sqlite3'

/**
 * A foreign process that takes the write lock of a database again and again: `node lock-in-turns.mjs FILE HELD_MS FREE_MS`.
 * It says "taken" when it has it for the first time, and ends when its standard input does.
 */
const [file, heldMs, freeMs] = process.argv.slice(2)
const database = new BetterSqlite3(file, { timeout: 10_000 })
let isOver = false
process.stdin.on('end', () => {
  isOver = true
})
process.stdin.resume()

for (let turn = 0; !isOver; turn++) {
  database.exec('BEGIN IMMEDIATE')
  if (turn === 0) process.stdout.write('taken\n')
  await delay(Number(heldMs))
  database.exec('COMMIT')
  await delay(Number(freeMs))
}
