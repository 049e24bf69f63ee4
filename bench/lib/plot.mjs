import { ROUTES } from './routes.mjs'
import { SERVICES } from './services.mjs'

/** @typedef {import('./figures.mjs').Cell} Cell */

/** All lengths are pixels of the drawing, which scales. */
const [WIDTH, MARGIN, LABEL_WIDTH, ROW_HEIGHT] = [960, 20, 186, 22]
const [GAP_BELOW, GAP_BESIDE] = [70, 36]
const [LEGEND_HEIGHT, TITLE_HEIGHT, DOT] = [34, 44, 4.5]
const PANEL_WIDTH = (WIDTH - LABEL_WIDTH - 2 * MARGIN - GAP_BESIDE) / 2

const MEASURES = [
  { key: 'perSecond', title: 'requests per second' },
  { key: 'p99', title: 'p99, milliseconds' },
]

/** Colours that are told apart by most who see few of them (Okabe and Ito), on light and on dark. */
const COLOURS = {
  sqlite: '#0072b2',
  uncached: '#56b4e9',
  postgresql: '#d55e00',
  'through-prisma': '#e69f00',
  official: '#cc79a7',
  bare: '#009e73',
}
const DARK_COLOURS = {
  sqlite: '#56b4e9',
  uncached: '#0072b2',
  postgresql: '#e69f00',
  'through-prisma': '#ffc966',
  official: '#f0a6cf',
  bare: '#2fd3a3',
}

/**
 * Requests per second and p99 of the smallest population, by route, a panel for each number of workers; the scales are
 * logarithmic. The background is the drawing's own, in the colours that the reader's system prefers.
 * @param {Cell[]} cells
 * @returns {string} a document of SVG
 */
export function plot(cells) {
  const personas = Math.min(...cells.map((cell) => cell.personas))
  const shown = cells.filter((cell) => cell.personas === personas)
  const workers = [...new Set(shown.map((cell) => cell.workers))].sort((a, b) => a - b)
  const routes = Object.keys(ROUTES).filter((name) => shown.some((cell) => cell.route === name))
  const panelHeight = routes.length * ROW_HEIGHT
  const rows = MEASURES.map((measure, index) => {
    const top = LEGEND_HEIGHT + TITLE_HEIGHT + index * (panelHeight + GAP_BELOW)
    return rowOfPanels({ cells: shown, measure, workers, routes, top, height: panelHeight })
  })
  const height = LEGEND_HEIGHT + MEASURES.length * (panelHeight + GAP_BELOW)
  return document(height, [legend(shown), ...rows])
}

function rowOfPanels({ cells, measure, workers, routes, top, height }) {
  const scale = logarithmic(cells.map((cell) => cell[measure.key]))
  const labels = routes.map((name, index) =>
    text(LABEL_WIDTH + MARGIN - 12, rowAt(top, index) + 4, ROUTES[name].title, 'end'),
  )
  const panels = workers.map((count, column) => {
    const left = MARGIN + LABEL_WIDTH + column * (PANEL_WIDTH + GAP_BESIDE)
    const title = `${measure.title}, ${count} ${count === 1 ? 'worker' : 'workers'}`
    const dots = cells
      .filter((cell) => cell.workers === count)
      .map((cell) => {
        const value = cell[measure.key]
        return dot(left + scale.at(value), rowAt(top, routes.indexOf(cell.route)), cell, value)
      })
    const lines = routes.map((_name, index) => line(left, rowAt(top, index), left + PANEL_WIDTH, rowAt(top, index)))
    return [text(left, top - 14, title, 'start', 'title'), ...axis(scale, left, top, height), ...lines, ...dots]
  })
  return [...labels, ...panels.flat()].join('\n')
}

/** From the power of ten below the least to the one above the greatest. */
function logarithmic(values) {
  const low = Math.floor(Math.log10(Math.min(...values)))
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))))
  return {
    ticks: Array.from({ length: high - low + 1 }, (_value, index) => 10 ** (low + index)),
    at: (value) => ((Math.log10(value) - low) / (high - low)) * PANEL_WIDTH,
  }
}

function axis(scale, left, top, height) {
  return scale.ticks.flatMap((tick) => {
    const x = left + scale.at(tick)
    return [
      line(x, top, x, top + height),
      text(x, top + height + 16, tick.toLocaleString('en', { notation: 'compact' }), 'middle'),
    ]
  })
}

function legend(cells) {
  const present = Object.keys(SERVICES).filter((name) => cells.some((cell) => cell.service === name))
  const step = (WIDTH - 2 * MARGIN) / present.length
  const entries = present.map((name, index) => {
    const x = MARGIN + DOT + index * step
    return `<circle class="${name}" cx="${x}" cy="20" r="${DOT}"/>${text(x + 12, 24, SERVICES[name].title, 'start')}`
  })
  return entries.join('\n')
}

/** Its figure is its title, which a reader sees who opens the drawing by itself and points at it. */
function dot(x, y, { service }, value) {
  const title = `<title>${SERVICES[service].title}: ${value.toLocaleString('en', { maximumSignificantDigits: 3 })}</title>`
  return `<circle class="${service}" cx="${number(x)}" cy="${number(y)}" r="${DOT}">${title}</circle>`
}

function rowAt(top, index) {
  return top + (index + 0.5) * ROW_HEIGHT
}

function line(x1, y1, x2, y2) {
  return `<line x1="${number(x1)}" y1="${number(y1)}" x2="${number(x2)}" y2="${number(y2)}"/>`
}

function text(x, y, content, anchor, kind = 'label') {
  return `<text class="${kind}" x="${number(x)}" y="${number(y)}" text-anchor="${anchor}">${content}</text>`
}

function number(value) {
  return String(Math.round(value * 10) / 10)
}

function document(height, parts) {
  const fills = (colours) =>
    Object.entries(colours)
      .map(([name, colour]) => `.${name} { fill: ${colour} }`)
      .join(' ')
  const style = `
    rect { fill: #ffffff } line { stroke: #d8dee4 } text { fill: #1f2328; font: 12px sans-serif } .title { font-weight: bold }
    circle { fill-opacity: 0.85 } ${fills(COLOURS)}
    @media (prefers-color-scheme: dark) { rect { fill: #0d1117 } line { stroke: #30363d } text { fill: #e6edf3 } ${fills(DARK_COLOURS)} }`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    '<title>Requests per second and p99 by route, service and workers</title>',
    `<style>${style}\n</style>`,
    `<rect width="${WIDTH}" height="${height}"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n')
}
