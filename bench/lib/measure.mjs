import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { coresFor, pinned } from './processors.mjs'
import { startServer } from './service.mjs'
import { SERVICES } from './services.mjs'

const LOAD = fileURLToPath(new URL('../load.mjs', import.meta.url))

/**
 * Starts a service once, warms it up with all of the routes, and measures them one after the other.
 * @param {object} cell
 * @param {keyof typeof SERVICES} cell.service
 * @param {number} cell.workers
 * @param {number} cell.personas how many the database has
 * @param {string[]} cell.routes
 * @param {{ url: string, file?: string, folder: string, serverPid?: number }} cell.database
 * @param {string[]} [cell.nodeArgs] options of Node's for the service
 * @param {Pick<import('./plan.mjs').Plan, 'connections' | 'warmUpMs' | 'leadMs' | 'windowMs'>} timing
 * @returns {Promise<object[]>} what the load reported of each route
 */
export async function measureStart({ service, workers, personas, routes, database, nodeArgs }, timing) {
  const cores = coresFor(workers)
  const { settings, ...program } = SERVICES[service].server(database)
  const environment = { ...settings, WORKERS: String(workers) }
  const place = { folder: database.folder, settings: environment, cores: cores?.server, nodeArgs }
  const server = await startServer({ ...program, ...place })
  const pids = { service: server.pid, database: database.serverPid }
  const target = { port: server.port, personas, connections: timing.connections, pids }
  let load
  try {
    load = await startLoad(target, cores?.load)
    for (const route of routes) await load.send({ route, leadMs: 0, windowMs: timing.warmUpMs / routes.length })
    const reports = []
    for (const route of routes) {
      reports.push({ route, ...(await load.send({ route, leadMs: timing.leadMs, windowMs: timing.windowMs })) })
    }
    return reports
  } finally {
    load?.stop()
    await server.stop()
  }
}

async function startLoad(target, cores) {
  const child = fork(LOAD, [JSON.stringify(target)], pinned(cores))
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the load ended with code ${code}`)))
  ended.catch(() => undefined)
  const said = async () => {
    const [message] = await Promise.race([once(child, 'message'), ended])
    if (message.type === 'failed') throw new Error(`the load failed: ${message.reason}`)
    return message
  }
  await said()
  const send = async (job) => {
    const answer = said()
    child.send(job)
    return (await answer).report
  }
  return { send, stop: () => child.connected && child.disconnect() }
}
