import { setTimeout as delay } from 'node:timers/promises'
import BetterSqlite3 from 'better-sqlite3'

/**
 * A foreign process that checkpoints a database without end: `node checkpointer.mjs FILE`. It says "begun" after the first
 * checkpoint, ends when its standard input does, and says then how many of each mode it has run to their end.
 */
const PAUSE_MS = 2
const database = new BetterSqlite3(process.argv[2], { timeout: 50 })
const completed = { PASSIVE: 0, RESTART: 0, TRUNCATE: 0 }
const modes = Object.keys(completed)
let isOver = false
process.stdin.on('end', () => {
  isOver = true
})
process.stdin.resume()

for (let turn = 0; !isOver; turn++) {
  const mode = modes[turn % modes.length]
  try {
    const [{ busy }] = database.pragma(`wal_checkpoint(${mode})`)
    if (!busy) completed[mode] += 1
  } catch (error) {
    if (error.code !== 'SQLITE_BUSY' && error.code !== 'SQLITE_LOCKED') throw error
  }
  if (turn === 0) process.stdout.write('begun\n')
  await delay(PAUSE_MS)
}
database.close()
process.stdout.write(`${JSON.stringify(completed)}\n`)
