// A worker of the ticket office that does as it is told: the parent sends {order, name}, and the answers are lines on
// standard output, so that they arrive even when the channel is gone.
import { TicketTurnstile } from '../../dist/database/sqlite/ticket-turnstile.js'

const ENTER_TIMEOUT_MS = 20_000

const turnstile = new TicketTurnstile(process)
const turns = new Map()

async function enter(name) {
  const turn = await turnstile.enter(ENTER_TIMEOUT_MS)
  turns.set(name, turn)
  process.stdout.write(`${name}\n`)
}

process.on('message', ({ order, name }) => {
  if (order === 'enter') void enter(name)
  if (order === 'leave') turns.get(name).leave()
  if (order === 'disconnect') process.disconnect()
})
// Without a channel there are no more orders; the end of standard input ends it then.
process.stdin.resume()
process.stdin.on('end', () => process.exit())
process.stdout.write('ready\n')
