import { writeCursor } from '../../dist/personas/lists/cursor.js'
import { CONSTANT_PATH, FIRST_CREATED_AT, idOf, PERSONAS_PATH } from './personas.mjs'

const [OK, NOT_MODIFIED] = [200, 304]
const PAGE = 10
/** Pages are taken from the first so many personas. */
const DEEPEST_SKIP = 1_000
const HOST = 'host: 127.0.0.1\r\n'

/** The name of the route that is the limit. */
export const CONSTANT = 'constant'

/**
 * What is measured, by name and in the order of the measurement: reads first, since writes make the database larger.
 * Each answers a request of lib/drive.mjs with the status that it must get; one that reads or writes a persona says which
 * (`id`), and one that writes says what (`image`).
 */
export const ROUTES = {
  [CONSTANT]: { title: 'constant bytes', next: () => get(CONSTANT_PATH) },
  'get-hot': { title: 'GET by id, 100 hot keys', next: ({ keys }) => read(keys.hot()) },
  'get-cold': { title: 'GET by id, any key', next: ({ keys }) => read(keys.uniform()) },
  'not-modified': { title: 'GET by id, 304', needsTags: true, next: ({ keys, tags }) => revalidate(keys.hot(), tags) },
  'list-first': { title: 'list of 10, first page', next: () => get(`${PERSONAS_PATH}?limit=${PAGE}`) },
  'list-any': { title: 'list of 10, any of 100 pages', next: () => get(randomPage()) },
  'list-cursor': { title: 'list of 10 by cursor, from anywhere', next: ({ keys }) => get(pageAfter(keys.uniform())) },
  put: { title: 'PUT, any key', isWrite: true, next: ({ keys, nextImage }) => write(keys.uniform(), nextImage()) },
  'mix-10-uniform': { title: '10% PUT, any key', ...mix(0.1, ({ keys }) => keys.uniform()) },
  'mix-10-skewed': { title: '10% PUT, skewed keys', ...mix(0.1, ({ keys }) => keys.skewed()) },
  'mix-50-uniform': { title: '50% PUT, any key', ...mix(0.5, ({ keys }) => keys.uniform()) },
  'mix-50-skewed': { title: '50% PUT, skewed keys', ...mix(0.5, ({ keys }) => keys.skewed()) },
}

/** A GET of the persona with this number. */
export function read(index) {
  const id = idOf(index)
  return { ...get(`${PERSONAS_PATH}/${id}`), index, id }
}

function get(path, headers = '') {
  return { text: `GET ${path} HTTP/1.1\r\n${HOST}${headers}\r\n`, status: OK }
}

function revalidate(index, tags) {
  const id = idOf(index)
  return { ...get(`${PERSONAS_PATH}/${id}`, `if-none-match: ${tags.get(index)}\r\n`), status: NOT_MODIFIED }
}

function write(index, image) {
  const id = idOf(index)
  const body = JSON.stringify({ base_image_path: image })
  const head = `PUT ${PERSONAS_PATH}/${id} HTTP/1.1\r\n${HOST}content-type: application/json\r\n`
  return { text: `${head}content-length: ${body.length}\r\n\r\n${body}`, status: OK, index, id, image }
}

function mix(share, draw) {
  const next = (state) => (Math.random() < share ? write(draw(state), state.nextImage()) : read(draw(state)))
  return { isWrite: true, next }
}

function randomPage() {
  const skip = Math.floor((Math.random() * DEEPEST_SKIP) / PAGE) * PAGE
  return `${PERSONAS_PATH}?limit=${PAGE}&skip=${skip}`
}

const ANY_TIME = { from: null, to: null }
/** The list that is asked for with nothing but a cursor. */
const PLAIN_LIST = {
  sort: '-created_at',
  filters: { activeOnly: true, words: [], themes: [], created: ANY_TIME, updated: ANY_TIME },
}

/** The page that a client is led to from the one that ends with this persona. */
function pageAfter(index) {
  const key = new Date((FIRST_CREATED_AT + index) * 1_000).toISOString()
  const cursor = writeCursor(PLAIN_LIST, { start: { key, id: idOf(index) }, isBackwards: false })
  return `${PERSONAS_PATH}?cursor=${cursor}&limit=${PAGE}`
}
