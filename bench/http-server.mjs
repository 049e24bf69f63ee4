// The service for benchmarks, started by lib/service.mjs: what main.js starts, and a constant route beside the product's
// own. Settings come from the environment as they do there; `node http-server.mjs official` has Prisma's own SQLite
// adapter below the repositories, and `node http-server.mjs through-prisma` no way past Prisma. The parent hears when it
// listens; without the parent it stops.
import './lib/small-heap.mjs'
import cluster from 'node:cluster'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3'
import { Primary } from '../dist/cluster/primary.js'
import { RootDuties } from '../dist/cluster/root-duties.js'
import { serve } from '../dist/cluster/serve.js'
import { loadSettings, workerSlot } from '../dist/config/environment.js'
import { openDatabase } from '../dist/database/open-database.js'
import { CLIENT_OPTIONS, PrismaDatabase } from '../dist/database/prisma-database.js'
import { PrismaClient } from '../dist/generated/sqlite/client.js'
import { createLogger } from '../dist/logging/logger.js'
import { ConstantController } from './lib/constant.mjs'

/** The database of the settings behind Prisma's own adapter: one connection, SQLite's busy handler. */
class OfficialDatabase extends PrismaDatabase {
  provider = 'sqlite'
  constructor({ target, busyTimeoutMs }) {
    const adapter = new PrismaBetterSqlite3({ url: `file:${target.file}`, timeout: busyTimeoutMs })
    const client = new PrismaClient({ ...CLIENT_OPTIONS, adapter })
    super(client, client)
  }
  assertUsable() {}
  probeWrite() {
    return this.probe()
  }
  begin(work) {
    return this.writer.$transaction(work)
  }
  translate(error) {
    return error
  }
  close() {
    return this.writer.$disconnect()
  }
}

/** The product's database, with nothing past Prisma's client. */
async function openThroughPrisma(...args) {
  const database = await openDatabase(...args)
  database.directReads = null
  database.directWrites = null
  return database
}

const settings = loadSettings()
const logger = createLogger(settings.log)
const otherWays = {
  official: async () => new OfficialDatabase(settings.database),
  'through-prisma': openThroughPrisma,
}
const otherWay = otherWays[process.argv[2]]
const composition = { controllers: [ConstantController], ...(otherWay && { openDatabase: otherWay }) }

if (cluster.isWorker) await serve(settings, logger, { worker: workerSlot(), ...composition })
else await serveAll()

async function serveAll() {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
  const duties = new RootDuties(settings, logger)
  if (settings.server.workers > 1) {
    await new Primary(settings.server, logger, duties.coordination(), () => duties.stop()).start()
    duties.served()
  } else {
    await serve(settings, logger, { duties, ...composition })
    tellDelays()
  }
  process.send({ type: 'listening' })
}

/** Answers each message with how late the event loop was since the last one. */
function tellDelays() {
  const delays = monitorEventLoopDelay({ resolution: 1 })
  const milliseconds = (nanoseconds) => nanoseconds / 1e6
  process.on('message', ({ type }) => {
    if (type !== 'delays') return
    process.send({ type, p99: milliseconds(delays.percentile(99)), max: milliseconds(delays.max) })
    delays.reset()
    delays.enable()
  })
}
