import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer as startPostgres } from '../../test/support/postgres-server.mjs'
import { keptSqlite, makePostgresql, makeSqlite, readThrough } from './databases.mjs'
import { measureStart } from './measure.mjs'
import { CONSTANT } from './routes.mjs'
import { SERVICES } from './services.mjs'

/** A database that takes longer to make than to measure is kept for the next run. */
const KEPT_FROM = 100_000

/** @typedef {import('./plan.mjs').Plan} Plan */

/**
 * Measures everything, round by round, so that a slow minute of the machine falls on all.
 * @param {Plan} plan
 * @returns {Promise<{ measurements: object[], seeding: { kind: string, personas: number, seconds: number }[] }>}
 */
export async function runAll(plan) {
  const databases = new Databases()
  const measurements = []
  const starts = startsOf(plan)
  try {
    for (const [index, { start, routes, ...cell }] of starts.entries()) {
      const { service, workers, personas } = cell
      const database = await databases.of(service, personas)
      console.error(`gator: ${index + 1} of ${starts.length}: ${service}, workers: ${workers}, personas: ${personas}`)
      const reports = await measureStart({ ...cell, routes, database }, plan)
      for (const report of reports) measurements.push({ ...cell, start, ...report })
    }
    return { measurements, seeding: databases.seeding }
  } finally {
    await databases.remove()
  }
}

/** @param {Plan} plan */
function startsOf({ populations, workers, starts }) {
  return Array.from({ length: starts }, (_value, index) =>
    populations.flatMap(({ personas, services, routes }) =>
      workers.flatMap((count) =>
        services.map((service) => {
          const shown = routes.filter((route) => route === CONSTANT || (SERVICES[service].shows?.(route) ?? true))
          return { service, workers: count, personas, routes: shown, start: index + 1 }
        }),
      ),
    ),
  ).flat()
}

/** The databases of a run: each service has its own, made when it is wanted for the first time. */
class Databases {
  /** How long each took to make that was not there. */
  seeding = []
  #folder = mkdtempSync(join(tmpdir(), 'gator-bench-'))
  #made = new Map()
  #postgres

  async of(service, personas) {
    const key = `${service}-${personas}`
    if (!this.#made.has(key)) this.#made.set(key, await this.#make(service, personas))
    const database = this.#made.get(key)
    if (database.file) readThrough(database.file)
    return database
  }

  async remove() {
    await this.#postgres?.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #make(service, personas) {
    const { kind } = SERVICES[service]
    // As a server in production: a commit is on the disk when it is acknowledged.
    if (kind === 'postgresql') this.#postgres ??= await startPostgres({ settings: { fsync: 'on' } })
    const startedAt = performance.now()
    const database = kind === 'postgresql' ? await this.#postgresql(service, personas) : this.#sqlite(service, personas)
    const seconds = (performance.now() - startedAt) / 1_000
    if (!database.isKept) this.seeding.push({ kind, personas, seconds })
    return { ...database, folder: this.#folder }
  }

  async #postgresql(service, personas) {
    const { adminUrl, pid } = this.#postgres
    return { url: await makePostgresql(adminUrl, `${service}-${personas}`, personas), serverPid: pid }
  }

  #sqlite(service, personas) {
    const isSmall = personas < KEPT_FROM
    const { file, isKept } = isSmall
      ? { file: makeSqlite(join(this.#folder, service), personas) }
      : keptSqlite(personas)
    return { file, url: `file:${file}`, isKept }
  }
}
