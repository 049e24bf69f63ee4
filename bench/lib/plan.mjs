import { CONSTANT, ROUTES } from './routes.mjs'
import { SERVICES } from './services.mjs'

/**
 * What to measure.
 * @typedef {object} Plan
 * @property {{ personas: number, services: string[], routes: string[] }[]} populations
 * @property {number[]} workers
 * @property {number} starts of each service
 * @property {number} connections
 * @property {number} warmUpMs of all routes together, in each start
 * @property {number} leadMs of each route before it counts
 * @property {number} windowMs for how long it does
 */

/** The routes that can be chosen: the constant one is always measured. */
export const MEASURED = Object.keys(ROUTES).filter((name) => name !== CONSTANT)

const SMALL = { personas: 10_000, services: Object.keys(SERVICES), routes: MEASURED }
const LARGE = {
  personas: 1_000_000,
  services: ['sqlite', 'postgresql'],
  routes: ['get-cold', 'list-first', 'list-any', 'list-cursor', 'put'],
}
/** A second of each route: a write is at its full speed later than a read, which is after three to four in all. */
const COMPLETE = { workers: [1, 2], starts: 3, seconds: 1.5, warmUp: 12, populations: [SMALL, LARGE] }
const QUICK = { workers: [1], starts: 3, seconds: 1, warmUp: 4, populations: [SMALL] }

/** More than two workers can answer at once, and few enough that waiting for a turn is not all that is measured. */
const CONNECTIONS = 32
/** Connections are opened in it. */
const LEAD_MS = 300
const MS_PER_SECOND = 1_000

/**
 * @param {object} options of the command line, all of them optional
 * @param {boolean} [options.quick]
 * @param {string[]} [options.only] services
 * @param {string[]} [options.route]
 * @param {number} [options.starts]
 * @param {number} [options.seconds] that each route is measured in a start
 * @param {number} [options.warmUp] seconds
 * @returns {Plan}
 */
export function planOf({ quick, only, route, ...given }) {
  const { workers, starts, seconds, warmUp, populations } = { ...(quick ? QUICK : COMPLETE), ...given }
  return {
    ...{ workers, starts, connections: CONNECTIONS },
    ...{ warmUpMs: warmUp * MS_PER_SECOND, leadMs: LEAD_MS, windowMs: seconds * MS_PER_SECOND },
    populations: populations
      .map(({ personas, services, routes }) => {
        return { personas, services: kept(services, only), routes: kept(routes, route) }
      })
      .filter(({ services, routes }) => services.length > 0 && routes.length > 0)
      .map((population) => ({ ...population, routes: [CONSTANT, ...population.routes] })),
  }
}

function kept(names, wanted) {
  return wanted ? names.filter((name) => wanted.includes(name)) : names
}
