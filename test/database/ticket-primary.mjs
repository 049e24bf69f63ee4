// A primary with a ticket office and three writers: `node ticket-primary.mjs FILE`. SIGTERM ends it, and them, in order.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { TicketOffice } from '../../dist/database/sqlite/ticket-office.js'

const WRITERS = 3
const LONGEST_TURN_MS = 7_000

const office = new TicketOffice(LONGEST_TURN_MS)
const script = fileURLToPath(new URL('ticket-writer.mjs', import.meta.url))
const writers = Array.from({ length: WRITERS }, (_value, n) => fork(script, [process.argv[2], `writer ${n}`]))
for (const writer of writers) office.attach(writer)

process.on('SIGTERM', () => {
  for (const writer of writers) writer.disconnect()
})
