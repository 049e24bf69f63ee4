/** @typedef {{ functionName: string, url: string, lineNumber: number }} CallFrame */
/**
 * What `node --cpu-prof` writes (https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile); times are
 * microseconds.
 * @typedef {{ nodes: { id: number, callFrame: CallFrame, children?: number[] }[], samples: number[], timeDeltas: number[] }} Profile
 */
/** @typedef {{ frame: CallFrame, micros: number, children: Map<string, Frame> }} Frame */

const [WIDTH, ROW, TOP, FONT] = [1200, 17, 34, 11]
/** About the width of a letter of that size. */
const LETTER = 6.2
/** What is narrower cannot be seen. */
const NARROWEST = 0.6
const MICROS_PER_SECOND = 1_000_000

/** Who a frame belongs to, by the first pattern that its place fits; in the order of the legend. */
const OWNERS = [
  { name: 'gator', pattern: /\/(dist|bench)\/(?!.*node_modules)/, colour: '#e69f00' },
  { name: 'Prisma', pattern: /node_modules\/@prisma\//, colour: '#cc79a7' },
  { name: 'better-sqlite3', pattern: /node_modules\/better-sqlite3\//, colour: '#009e73' },
  { name: 'NestJS', pattern: /node_modules\/(@nestjs|rxjs|class-validator|class-transformer)\//, colour: '#d55e00' },
  { name: 'Fastify', pattern: /node_modules\/(fastify|find-my-way|@fastify|light-my-request)\//, colour: '#56b4e9' },
  { name: 'other packages', pattern: /node_modules\//, colour: '#999999' },
  { name: 'Node.js', pattern: /^node:/, colour: '#0072b2' },
  { name: 'native code and V8', pattern: /^$/, colour: '#b2bec3' },
]

export function ownerOf({ url }) {
  return OWNERS.find(({ pattern }) => pattern.test(url)) ?? OWNERS.at(-1)
}

/**
 * The time that was spent in each frame, and below it, in the last seconds of a profile, and how long that was in all.
 * What was idle is left out.
 * @param {Profile} profile
 * @returns {Frame} the root
 */
export function framesOf({ nodes, samples, timeDeltas }, lastSeconds) {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])))
  const root = { frame: { functionName: 'all', url: '', lineNumber: 0 }, micros: 0, children: new Map() }
  let left = lastSeconds * MICROS_PER_SECOND
  for (let index = samples.length - 1; index >= 0 && left > 0; index--) {
    left -= timeDeltas[index]
    const stack = stackOf(byId.get(samples[index]), byId, parents)
    if (stack.at(-1)?.functionName === '(idle)') continue
    root.micros += timeDeltas[index]
    stack.reduce((parent, frame) => childOf(parent, frame, timeDeltas[index]), root)
  }
  return root
}

/** The share (0 to 1) that each owner's own code had of the whole, the largest first. */
export function sharesOf(root) {
  const micros = new Map()
  const walk = ({ frame, micros: all, children }) => {
    const own = all - [...children.values()].reduce((sum, child) => sum + child.micros, 0)
    const { name } = ownerOf(frame)
    micros.set(name, (micros.get(name) ?? 0) + own)
    for (const child of children.values()) walk(child)
  }
  walk(root)
  return [...micros].map(([name, own]) => [name, own / root.micros]).sort(([, one], [, other]) => other - one)
}

/** A flame graph: callers above, what they call below, as wide as the time that it took. */
export function drawFlames(root, title) {
  const rectangles = []
  let deepest = 0
  const place = ({ frame, micros, children }, x, depth) => {
    const width = (micros / root.micros) * WIDTH
    if (width < NARROWEST) return
    deepest = Math.max(deepest, depth)
    rectangles.push(rectangle(frame, x, TOP + depth * ROW, width, micros / root.micros))
    let left = x
    for (const child of [...children.values()].sort((one, other) => other.micros - one.micros)) {
      place(child, left, depth + 1)
      left += (child.micros / root.micros) * WIDTH
    }
  }
  place(root, 0, 0)
  const height = TOP + (deepest + 1) * ROW
  const style = `text { font: ${FONT}px sans-serif; fill: #1f2328 } .title { font-weight: bold } .back { fill: #ffffff }`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${style}</style>`,
    `<rect class="back" width="${WIDTH}" height="${height}"/>`,
    `<text class="title" x="4" y="18">${escaped(title)}</text>`,
    ...legend(),
    ...rectangles,
    '</svg>\n',
  ].join('\n')
}

function stackOf(node, byId, parents) {
  const stack = []
  for (let current = node; current; current = byId.get(parents.get(current.id))) stack.unshift(current.callFrame)
  // The first is the profiler's own root.
  return stack.slice(1)
}

function childOf(parent, frame, micros) {
  const key = `${frame.functionName} ${frame.url}`
  const child = parent.children.get(key) ?? { frame, micros: 0, children: new Map() }
  parent.children.set(key, child)
  child.micros += micros
  return child
}

function rectangle(frame, x, y, width, share) {
  const label = `${frame.functionName || '(anonymous)'}`
  const place = frame.url.replace(/^.*\/(node_modules|dist|bench)\//, '')
  const title = `${label}${place ? ` — ${place}:${frame.lineNumber + 1}` : ''}, ${(share * 100).toFixed(1)}%`
  const letters = Math.floor((width - 4) / LETTER)
  const text =
    letters < 3 ? '' : `<text x="${round(x + 2)}" y="${y + ROW - 5}">${escaped(label.slice(0, letters))}</text>`
  const { colour } = ownerOf(frame)
  return (
    `<g><title>${escaped(title)}</title><rect x="${round(x)}" y="${y}" width="${round(width)}" height="${ROW - 1}" ` +
    `fill="${colour}" fill-opacity="0.75"/>${text}</g>`
  )
}

function legend() {
  let x = WIDTH
  return OWNERS.toReversed().map(({ name, colour }) => {
    x -= name.length * LETTER + 24
    return `<rect x="${round(x)}" y="8" width="12" height="12" fill="${colour}"/><text x="${round(x + 16)}" y="18">${name}</text>`
  })
}

function round(value) {
  return Math.round(value * 10) / 10
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
