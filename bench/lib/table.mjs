import { fixed, round, tableOf } from './report.mjs'
import { ROUTES } from './routes.mjs'
import { SERVICES } from './services.mjs'

/** @typedef {import('./figures.mjs').Cell} Cell */

const NAMES = ['personas', 'route', 'service', 'workers']
const FIGURES = ['requests/s', 'to constant', 'starts', 'p50 ms', 'p99 ms', 'max ms', 'CPU µs/request']

/**
 * The table of a run, a row a cell: by personas and route, so that the services stand beside each other.
 * @param {Cell[]} cells
 */
export function tableOfCells(cells) {
  return tableOf([...NAMES, ...FIGURES], inOrder(cells).map(row))
}

const COMPARED = ['requests/s', 'to constant', 'p99 ms', 'second / first', 'verdict']

/** Two runs side by side, in each cell the first and then the second. */
export function tableOfComparison(pairs) {
  const ordered = inOrder(pairs.map(({ cell }) => cell))
  const of = new Map(pairs.map((pair) => [pair.cell, pair]))
  const rows = ordered.map((cell) => {
    const { first, second, change, verdict } = of.get(cell)
    const both = (name, format) => [first, second].map((one) => (one ? format(one[name]) : '–')).join(' → ')
    const ratios = both('ratio', short)
    return [
      ...namesOf(cell),
      both('perSecond', round),
      ratios,
      both('p99', (ms) => fixed(ms)),
      fixed(change, 2),
      verdict,
    ]
  })
  return tableOf([...NAMES, ...COMPARED], rows)
}

/** What a person calls a cell. */
function namesOf({ personas, route, service, workers }) {
  return [round(personas), ROUTES[route].title, SERVICES[service].title, String(workers)]
}

/** By personas, route, workers, service. */
function inOrder(cells) {
  const places = [Object.keys(ROUTES), Object.keys(SERVICES)]
  const placeOf = ({ personas, route, service, workers }) => [
    personas,
    places[0].indexOf(route),
    workers,
    places[1].indexOf(service),
  ]
  return cells.toSorted((a, b) => {
    const [left, right] = [placeOf(a), placeOf(b)]
    const first = left.findIndex((place, index) => place !== right[index])
    return first < 0 ? 0 : left[first] - right[first]
  })
}

/** Three digits, wherever they begin: a list of a large table is thousands of times as dear as a constant. */
function short(ratio) {
  return Number.isFinite(ratio) ? ratio.toPrecision(3) : '–'
}

function row(cell) {
  const { perSecond, ratio, ratios, p50, p99, max, cpuMicros, databaseCpuMicros } = cell
  const range = `${short(Math.min(...ratios))} to ${short(Math.max(...ratios))}`
  const cpu = [cpuMicros, databaseCpuMicros].filter((micros) => micros !== undefined).map(round)
  const milliseconds = [p50, p99, max].map((ms) => fixed(ms))
  return [...namesOf(cell), round(perSecond), short(ratio), range, ...milliseconds, cpu.join(' + ') || '–']
}
