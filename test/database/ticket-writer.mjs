// Writes in short transactions, one after another, until its parent lets go of it: `node ticket-writer.mjs FILE NAME`.
// After each commit it prints {name, count, grants}: how many it has been told of, and how many turns the office gave.
import { setTimeout as delay } from 'node:timers/promises'
import { SqliteEngine } from '../../dist/database/sqlite/engine.js'
import { TicketTurnstile } from '../../dist/database/sqlite/ticket-turnstile.js'

const [file, name] = process.argv.slice(2)
const query = (sql, ...args) => ({ sql, args, argTypes: args.map(() => ({ scalarType: 'unknown', arity: 'scalar' })) })

let grants = 0
let isOver = false
process.on('message', (message) => {
  if (message.gator === 'ticket-go') grants += 1
})
process.once('disconnect', () => {
  isOver = true
})

const turnstile = new TicketTurnstile(process)
const engine = await SqliteEngine.open({ file, busyTimeoutMs: 20_000, synchronous: 'NORMAL', turnstile })
for (let count = 1; !isOver; count++) {
  const transaction = await engine.begin()
  const [[total]] = transaction.query(query('SELECT count(*) FROM ledger')).rows
  transaction.execute(query('INSERT INTO ledger (value, slot) VALUES (?, ?)', name, String(total)))
  await transaction.commit()
  process.stdout.write(`${JSON.stringify({ name, count, grants })}\n`)
  await delay(1)
}
await engine.close()
