import { CONSTANT } from './routes.mjs'
import { median } from './statistics.mjs'

/**
 * One route of one start, as bench.mjs keeps it.
 * @typedef {object} Measurement
 * @property {string} service
 * @property {number} workers
 * @property {number} personas
 * @property {string} route
 * @property {number} start 1, 2, … of this service with so many workers and personas
 * @property {number} perSecond
 * @property {number} p50 milliseconds
 * @property {number} p99 milliseconds
 * @property {number} max milliseconds
 * @property {number} [cpuMicros] of the service's processes, for each request
 * @property {number} [databaseCpuMicros] of the database server's, where there is one
 */

/**
 * All starts of one route: medians, but for `max`, which is the largest. `ratios` are to the constant route of the same
 * start, in the order of the starts.
 * @typedef {Omit<Measurement, 'start'> & { ratio: number, ratios: number[], rates: number[] }} Cell
 */

/** What is compared: one of these is one row. */
const IDENTITY = ['personas', 'route', 'service', 'workers']

export function keyOf(cell) {
  return IDENTITY.map((name) => cell[name]).join('|')
}

/**
 * @param {Measurement[]} measurements in any order
 * @returns {Cell[]} in the order in which each came first
 */
export function summarize(measurements) {
  const startOf = ({ service, workers, personas, start }) => [service, workers, personas, start].join('|')
  const limits = new Map(
    measurements.filter(({ route }) => route === CONSTANT).map((each) => [startOf(each), each.perSecond]),
  )
  const groups = new Map()
  for (const each of measurements) groups.set(keyOf(each), [...(groups.get(keyOf(each)) ?? []), each])
  return [...groups.values()].map((starts) => {
    const ratios = starts.map((each) => each.perSecond / (limits.get(startOf(each)) ?? NaN))
    const of = (name) => (starts[0][name] === undefined ? undefined : median(starts.map((each) => each[name])))
    const { personas, route, service, workers } = starts[0]
    return {
      ...{ personas, route, service, workers, ratios, ratio: median(ratios) },
      ...{ rates: starts.map((each) => each.perSecond), perSecond: of('perSecond'), p50: of('p50'), p99: of('p99') },
      ...{ max: Math.max(...starts.map((each) => each.max)) },
      ...{ cpuMicros: of('cpuMicros'), databaseCpuMicros: of('databaseCpuMicros') },
    }
  })
}
