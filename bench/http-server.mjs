// The service on several workers, for benchmarks: `node http-server.mjs JOB`, forked by lib/http.mjs. The primary deals out
// turns as main.ts does; `adapter` chooses what the workers write through: "ours", or Prisma's "official" adapter.
import cluster from 'node:cluster'
import { once } from 'node:events'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3'
import { pino } from 'pino'
import { parseSettings } from '../dist/config/settings.js'
import { createApp } from '../dist/create-app.js'
import { PrismaDatabase } from '../dist/database/prisma-database.js'
import { TicketOffice } from '../dist/database/sqlite/ticket-office.js'
import { PrismaClient } from '../dist/generated/sqlite/client.js'

const job = JSON.parse(process.argv[2])
const LONGEST_TURN_MS = 10_000
const BUSY_TIMEOUT_MS = 30_000

/** The same service on Prisma's own adapter: one connection, SQLite's busy handler. */
class OfficialDatabase extends PrismaDatabase {
  provider = 'sqlite'
  constructor() {
    const adapter = new PrismaBetterSqlite3({ url: `file:${job.file}`, timeout: BUSY_TIMEOUT_MS })
    const client = new PrismaClient({ adapter })
    super(client, client)
  }
  translate(error) {
    return error
  }
  close() {
    return this.writer.$disconnect()
  }
}

if (cluster.isWorker) await serve()
else if (job.workers === 1) await serveAlone()
else await serveWithWorkers()

async function serveWithWorkers() {
  const office = new TicketOffice(LONGEST_TURN_MS)
  const workers = Array.from({ length: job.workers }, () => cluster.fork())
  const addresses = workers.map((forked) => {
    office.attach(forked)
    return once(forked, 'listening')
  })
  const [[{ port }]] = await Promise.all(addresses)
  endWithParent(() => {
    for (const forked of workers) forked.process.kill('SIGKILL')
  })
  process.send({ type: 'listening', url: `http://127.0.0.1:${port}` })
}

/** One process, which also tells how late its event loop was since it was asked last. */
async function serveAlone() {
  const url = await serve()
  const delays = monitorEventLoopDelay({ resolution: 1 })
  delays.enable()
  process.on('message', () => {
    const milliseconds = (nanoseconds) => nanoseconds / 1e6
    process.send({ type: 'delays', p99: milliseconds(delays.percentile(99)), max: milliseconds(delays.max) })
    delays.reset()
  })
  endWithParent(() => undefined)
  process.send({ type: 'listening', url })
}

async function serve() {
  const environment = { DATABASE_URL: `file:${job.file}`, LOG_LEVEL: 'silent', DATABASE_SYNCHRONOUS: job.synchronous }
  const app = await createApp({
    settings: parseSettings(environment, false),
    logger: pino({ level: 'silent' }),
    ...(job.adapter === 'official' && { openDatabase: async () => new OfficialDatabase() }),
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  return app.getUrl()
}

function endWithParent(end) {
  process.once('disconnect', () => {
    end()
    process.exit()
  })
}
