// The load of a benchmark: a process of its own, forked by lib/measure.mjs. It is told which route to send for how long,
// and reports what came back; after writes it reads the rows again.
import { setTimeout as delay } from 'node:timers/promises'
import { drive } from './lib/drive.mjs'
import { keysOf } from './lib/keys.mjs'
import { Ledger } from './lib/ledger.mjs'
import { cpuMicrosOf } from './lib/processors.mjs'
import { read, ROUTES } from './lib/routes.mjs'
import { Tally } from './lib/tally.mjs'

/** How many of the rows that a route has written are read back. */
const READ_BACK = 500
const OK = 200
/** Where an answer says whose it is: `{"id":"…"`. */
const [ID_START, ID_END] = [7, 43]

const { port, pids, personas, connections } = JSON.parse(process.argv[2])
const run = `${process.pid}-${Date.now()}`
let serial = 0
const ledger = new Ledger()
const state = {
  keys: keysOf(personas),
  tags: new Map(),
  /** Something that nobody has written before. */
  nextImage: () => `images/${run}-${++serial}.png`,
}

process.on('message', (job) => {
  measure(job).then(
    (report) => process.send({ type: 'report', report }),
    (error) => process.send({ type: 'failed', reason: error.stack }),
  )
})
process.once('disconnect', () => process.exit())
process.send({ type: 'ready' })

/** Sends a route for a while, of which the first part does not count. */
async function measure({ route, leadMs, windowMs }) {
  const { next, needsTags, isWrite } = ROUTES[route]
  if (needsTags) await fetchTags()
  const tally = new Tally(connections)
  const underWay = drive({
    ...{ port, connections },
    next: () => (tally.isOver ? undefined : next(state)),
    onAnswer: (request, answer, ms) => {
      tally.answered(answer.status, ms)
      judge(tally, request, answer)
    },
  })
  // Before each connection has had an answer, the queue in the server is shorter than it will be.
  await Promise.race([Promise.all([delay(leadMs), tally.firstAnswers]), underWay])
  tally.begin(marks())
  await Promise.race([delay(windowMs), underWay])
  tally.end(marks())
  await underWay
  const readBack = isWrite ? await readRows(tally) : undefined
  return { ...tally.report(), readBack }
}

function judge(tally, request, { status, body }) {
  const isRight = status === request.status && (!request.id || body.toString('latin1', ID_START, ID_END) === request.id)
  if (!isRight) tally.fault(`${status} ${body} to ${request.text}`)
  else if (request.image) ledger.record(request.index, request.image, body)
}

function marks() {
  const { user, system } = process.cpuUsage()
  const of = (pid) => (pid === undefined ? undefined : cpuMicrosOf(pid))
  return { at: performance.now(), load: user + system, service: of(pids.service), database: of(pids.database) }
}

/** Reads rows that were written; each that is not what the last answer said is a fault. Answers how many were read. */
async function readRows(tally) {
  const rows = ledger.sample(READ_BACK)
  await readAll([...rows], (index, { status, body }) => {
    if (status !== OK || !ledger.agrees(index, body)) tally.fault(`read back after it was written: ${status} ${body}`)
  })
  return rows.length
}

/** Learns the entity tags of the hot personas. */
async function fetchTags() {
  await readAll([...state.keys.allHot], (index, { head }) => {
    state.tags.set(index, /\r\netag: *(\S+)/i.exec(head)?.[1])
  })
}

function readAll(indexes, onAnswer) {
  const next = () => (indexes.length > 0 ? read(indexes.pop()) : undefined)
  return drive({ port, connections, next, onAnswer: ({ index }, answer) => onAnswer(index, answer) })
}
