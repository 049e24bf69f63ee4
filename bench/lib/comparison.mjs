import { keyOf } from './figures.mjs'
import { CONSTANT } from './routes.mjs'

/** Of two runs of three starts each, without any difference, one in ten lies wholly above or below the other. */
const FEWEST_STARTS = 3

/**
 * @typedef {import('./figures.mjs').Cell} Cell
 * @typedef {'within the noise' | 'faster' | 'slower' | 'too few starts' | 'only in the first' | 'only in the second'} Verdict
 */

/**
 * Two runs, cell by cell. What is compared is the ratio to the constant route of the same start, since another start, let
 * alone another hour or machine, has another speed; the constant route itself has nothing but its rate. A difference
 * counts when no start of the one run reaches into the starts of the other.
 * @param {Cell[]} first
 * @param {Cell[]} second
 * @returns {{ cell: Cell, first?: Cell, second?: Cell, change: number, verdict: Verdict }[]} `change` is the second over
 *   the first
 */
export function compare(first, second) {
  const others = new Map(second.map((cell) => [keyOf(cell), cell]))
  const known = new Set(first.map(keyOf))
  return [
    ...first.map((cell) => pair(cell, others.get(keyOf(cell)))),
    ...second.filter((cell) => !known.has(keyOf(cell))).map((cell) => pair(undefined, cell)),
  ]
}

function pair(first, second) {
  const cell = first ?? second
  if (!second) return { cell, first, second, change: NaN, verdict: 'only in the first' }
  if (!first) return { cell, first, second, change: NaN, verdict: 'only in the second' }
  const [value, values] = cell.route === CONSTANT ? ['perSecond', 'rates'] : ['ratio', 'ratios']
  const change = second[value] / first[value]
  return { cell, first, second, change, verdict: verdictOf(first[values], second[values]) }
}

/** @returns {Verdict} */
function verdictOf(before, after) {
  if (Math.min(before.length, after.length) < FEWEST_STARTS) return 'too few starts'
  if (Math.min(...after) > Math.max(...before)) return 'faster'
  if (Math.max(...after) < Math.min(...before)) return 'slower'
  return 'within the noise'
}
