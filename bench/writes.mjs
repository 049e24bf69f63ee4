// `npm run bench:writes`: this project's SQLite engine beside Prisma's own adapter and plain better-sqlite3, in one run.
// Prints the table that stands in docs/benchmarks.md; `--write` puts it there, `--quick` is for trying the script out.
import { setTimeout as delay } from 'node:timers/promises'
import { createPersonas, loadReads, loadUpdates, startHttpServer } from './lib/http.mjs'
import { holdLock, steadyReads } from './lib/lock-test.mjs'
import { runInProcesses } from './lib/processes.mjs'
import { describeMachine, fixed, round, section, writeInto } from './lib/report.mjs'
import { latencies, median, spread } from './lib/statistics.mjs'
import { counterIn, createCounters } from './lib/stores.mjs'

const NAMES = { ours: 'this project', official: "Prisma's adapter", plain: 'better-sqlite3' }
const isQuick = process.argv.includes('--quick')
const RUNS = isQuick ? 1 : 3
const ROUNDS = isQuick ? 200 : 2_000
const HOLD_SECONDS = isQuick ? 3 : 20
const UPDATE_SECONDS = isQuick ? 1 : 3
const HTTP_SECONDS = isQuick ? 2 : 4
const LOCK_MS = isQuick ? 1_500 : 5_000
const CONNECTIONS = 64
const CONNECTIONS_OF_A_PROCESS = 16
const PERSONAS = 1_000

const sections = [
  await readModifyWrite(),
  await fairness(),
  await scaling(),
  await durability(),
  await overHttp(),
  await workersOverHttp(),
  await foreignLock(),
]
const table = `${describeMachine(RUNS)}\n\n${sections.join('\n\n')}\n`
console.log(table)
if (process.argv.includes('--write')) await writeInto('docs/benchmarks.md', 'writes', table)

async function readModifyWrite() {
  const rows = []
  for (const store of ['ours', 'official', 'plain']) {
    const runs = await repeat(async () => {
      const counters = createCounters()
      const reports = await runInProcesses(4, { kind: 'rounds', store, file: counters.file, rounds: ROUNDS })
      const count = counterIn(counters.file, 1)
      counters.remove()
      const total = (key) => reports.reduce((sum, report) => sum + report[key], 0)
      const seconds = Math.max(...reports.map((report) => report.elapsedMs)) / 1_000
      return { failed: total('failed'), isExact: count === total('succeeded'), perSecond: total('succeeded') / seconds }
    })
    rows.push([
      NAMES[store],
      `${median(runs.map((run) => run.failed))} of ${4 * ROUNDS}`,
      runs.every((run) => run.isExact) ? 'yes' : 'no',
      round(median(runs.map((run) => run.perSecond))),
    ])
  }
  return section(
    `Read, modify, write one row in transactions: 4 processes × ${ROUNDS}`,
    ['', 'failed', 'counter exact', 'transactions/s'],
    rows,
  )
}

async function fairness() {
  const rows = []
  for (const store of ['ours', 'official', 'plain']) {
    const runs = await repeat(async () => {
      const counters = createCounters()
      const job = { kind: 'hold', store, file: counters.file, seconds: HOLD_SECONDS, holdMs: 2 }
      const reports = await runInProcesses(4, job)
      counters.remove()
      const failed = reports.reduce((sum, report) => sum + report.failed, 0)
      const spreadOf = spread(reports.map((report) => report.succeeded))
      return { ...latencies(reports.flatMap((report) => report.waits)), failed, spread: spreadOf }
    })
    const of = (key) => median(runs.map((run) => run[key]))
    rows.push([
      NAMES[store],
      fixed(of('p50')),
      fixed(of('p99')),
      fixed(of('p999')),
      fixed(of('max')),
      fixed(of('spread'), 2),
      of('failed'),
    ])
  }
  return section(
    `Waiting for the lock: 4 processes, transactions of 2 ms, ${HOLD_SECONDS} s`,
    ['', 'p50 ms', 'p99 ms', 'p99.9 ms', 'max ms', 'most / least served', 'failed'],
    rows,
  )
}

async function scaling() {
  const rows = []
  for (const store of ['ours', 'official', 'plain']) {
    const perProcesses = {}
    for (const processes of [1, 2, 4]) {
      const runs = await repeat(() => updates(processes, store, CONNECTIONS_OF_A_PROCESS))
      perProcesses[processes] = {
        perSecond: median(runs.map((run) => run.perSecond)),
        shares: median(runs.map((run) => run.spread)),
      }
    }
    const { 1: one, 2: two, 4: four } = perProcesses
    rows.push([
      NAMES[store],
      ...[one, two, four].map((cell) => round(cell.perSecond)),
      fixed(four.perSecond / two.perSecond, 2),
      fixed(four.shares, 2),
    ])
  }
  return section(
    `Single updates through the adapter, ${CONNECTIONS_OF_A_PROCESS} at a time in each process: updates/s`,
    ['', '1 process', '2 processes', '4 processes', '4 / 2', 'most / least served of 4'],
    rows,
  )
}

async function durability() {
  const cell = async (store, options) => {
    const runs = await repeat(() => updates(1, store, CONNECTIONS, options))
    return median(runs.map((run) => run.perSecond))
  }
  const normal = await cell('ours', {})
  const full = await cell('ours', { synchronous: 'FULL' })
  const alone = await cell('ours', { synchronous: 'FULL', isGrouped: false })
  const plain = await cell('plain', { synchronous: 'FULL' })
  return section(
    `Group commit: ${CONNECTIONS} single updates at a time, one process, updates/s`,
    ['', 'updates/s', 'to one commit per update'],
    [
      ['ours, NORMAL', round(normal), ''],
      ['ours, FULL', round(full), fixed(full / alone, 1)],
      ['ours, FULL, one commit per update', round(alone), '1.0'],
      ['better-sqlite3, FULL, one commit per update', round(plain), fixed(plain / alone, 1)],
      ['FULL / NORMAL', fixed(full / normal, 2), ''],
    ],
  )
}

async function overHttp() {
  const rows = []
  const cells = [
    ['ours', 'NORMAL'],
    ['ours', 'FULL'],
    ['official', 'NORMAL'],
  ]
  const results = new Map(cells.map((cell) => [cell, []]))
  // Side by side: a round of each before the next round, since the machine's speed drifts.
  for (let run = 0; run < RUNS; run++) for (const cell of cells) results.get(cell).push(await httpRun(...cell))
  const rate = (cell) => median(results.get(cell).map((run) => run.perSecond))
  for (const cell of cells) {
    const of = (key) => median(results.get(cell).map((run) => run[key]))
    const ratio = rate(cell) / rate(cells[2])
    rows.push([`${NAMES[cell[0]]}, ${cell[1]}`, round(rate(cell)), fixed(ratio, 2), of('p50'), of('p99'), of('failed')])
  }
  return section(
    `PUT over HTTP: 2 workers, ${CONNECTIONS} connections`,
    ['', 'requests/s', 'to the official adapter', 'p50 ms', 'p99 ms', 'failed'],
    rows,
  )
}

async function workersOverHttp() {
  const counts = [1, 2, 4]
  const loads = { PUT: loadUpdates, GET: loadReads }
  const results = Object.fromEntries(Object.keys(loads).map((method) => [method, counts.map(() => [])]))
  for (let run = 0; run < RUNS; run++) {
    for (const [method, load] of Object.entries(loads)) {
      for (const [index, workers] of counts.entries()) {
        results[method][index].push(await httpRun('ours', 'NORMAL', workers, load))
      }
    }
  }
  const rows = Object.entries(results).map(([method, cells]) => {
    const rates = cells.map((runs) => median(runs.map((run) => run.perSecond)))
    return [method, ...rates.map(round), fixed(rates[2] / rates[1], 2)]
  })
  return section(
    `More workers than cores, over HTTP: ${CONNECTIONS} connections, requests/s`,
    ['', '1 worker', '2 workers', '4 workers', '4 / 2'],
    rows,
  )
}

async function httpRun(adapter, synchronous, workers = 2, load = loadUpdates) {
  const personas = createPersonas(PERSONAS)
  const server = await startHttpServer(personas, { adapter, synchronous, workers })
  const target = { url: server.url, ids: personas.ids, connections: CONNECTIONS }
  try {
    await load({ ...target, seconds: 1 })
    return await load({ ...target, seconds: HTTP_SECONDS })
  } finally {
    await server.stop()
    personas.remove()
  }
}

async function foreignLock() {
  const runs = await repeat(async () => {
    const personas = createPersonas(PERSONAS)
    const server = await startHttpServer(personas, { adapter: 'ours', synchronous: 'NORMAL', workers: 1 })
    const url = `${server.url}/api/v1/personas/${personas.ids[0]}`
    await steadyReads(url, 200, delay(1_000))
    const holder = await holdLock(personas.file)
    await server.delays()
    let isAnswered = false
    const put = fetch(url, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{"base_image_path":"images/x.png"}',
    }).then((response) => {
      isAnswered = true
      return { status: response.status, at: performance.now() }
    })
    const reads = await steadyReads(url, 200, delay(LOCK_MS))
    const delays = await server.delays()
    if (isAnswered) throw new Error('the PUT was answered while somebody else held the lock')
    const toldAt = await holder.release()
    const { status, at } = await put
    await server.stop()
    personas.remove()
    return { ...delays, ...reads, status, afterMs: at - toldAt }
  })
  const of = (key) => median(runs.map((run) => run[key]))
  return section(
    `A foreign process holds the lock for ${LOCK_MS / 1_000} s; one worker, 200 GET/s, one PUT waits`,
    ['event loop delay p99 ms', 'max ms', 'GETs answered', 'GETs failed', 'PUT', 'PUT after the release ms'],
    [[fixed(of('p99')), fixed(of('max')), of('answered'), of('failed'), of('status'), fixed(of('afterMs'))]],
  )
}

async function updates(processes, store, concurrency, options = {}) {
  const counters = createCounters()
  const job = { kind: 'updates', store, file: counters.file, seconds: UPDATE_SECONDS, concurrency, options }
  const reports = await runInProcesses(processes, job)
  counters.remove()
  const succeeded = reports.map((report) => report.succeeded)
  const seconds = Math.max(...reports.map((report) => report.elapsedMs)) / 1_000
  return { perSecond: succeeded.reduce((sum, count) => sum + count, 0) / seconds, spread: spread(succeeded) }
}

async function repeat(run) {
  const results = []
  for (let round = 0; round < RUNS; round++) results.push(await run())
  return results
}
