import { isDeepStrictEqual } from 'node:util'
import { Failure } from './failure.mjs'

const PAGE = 100
const SERVER_ERROR = 500
/** Pino's number of the level `error`. */
const ERROR_LEVEL = 50

/**
 * Looks at what a fuzzer has left behind, through the service's own answers: every persona is taken back as it was read (a
 * row that breaks a rule would be refused), and its history leads from the first state to what it is now.
 * @param {string} url of the service
 * @param {Record<string, string>} headers of every request
 * @returns {Promise<{ personas: number, revisions: number }>} how much there was to look at
 * @throws {Failure} for the first persona that is not as it should be
 */
export async function judge(url, headers) {
  const ask = asking(`${url}/api/v1/personas/`, headers)
  let [personas, revisions] = [0, 0]
  for (; ; personas += PAGE) {
    const page = await (await ask(`?active_only=false&limit=${PAGE}&skip=${personas}`)).json()
    for (const persona of page) revisions += await judgeOne(ask, persona)
    if (page.length < PAGE) return { personas: personas + page.length, revisions }
  }
}

/** @throws {Failure} for a line of the log that says that something went wrong on our side */
export function judgeLog(lines) {
  const bad = lines.filter(({ level, status }) => level >= ERROR_LEVEL || status >= SERVER_ERROR)
  if (bad.length > 0) throw new Failure(`The log has errors, the first of ${bad.length}: ${JSON.stringify(bad[0])}`)
}

async function judgeOne(ask, { id, ...fields }) {
  const body = JSON.stringify({ id, ...fields })
  await ask(id, { method: 'PUT', headers: { 'content-type': 'application/json' }, body })
  const current = await (await ask(id)).json()
  const versions = await versionsOf(ask, id)
  if (versions[0] !== 1) throw new Failure(`The history of ${id} begins with ${versions[0]}.`)
  let state
  for (const [n, version] of versions.entries()) {
    const { state: kept } = await (await ask(`${id}/revisions/${version}`)).json()
    if (n > 0) {
      const patch = await (await ask(`${id}/revisions/${versions[n - 1]}/diff/${version}`)).json()
      if (!isDeepStrictEqual(patched(state, patch), kept))
        throw new Failure(`The diff to ${version} of ${id} is wrong.`)
    }
    state = kept
  }
  if (!isDeepStrictEqual(state, current)) throw new Failure(`The history of ${id} does not lead to what it is now.`)
  return versions.length
}

/** Its versions that have a revision, ascending. */
async function versionsOf(ask, id) {
  const versions = new Set()
  for (let next = `${id}/revisions?limit=${PAGE}`; next !== undefined;) {
    const answer = await ask(next)
    for (const { version } of await answer.json()) versions.add(version)
    next = /<[^>]*\/(?=[^/>]*\/revisions)([^>]+)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1]
  }
  return [...versions].sort((a, b) => a - b)
}

/** Applies a JSON patch (RFC 6902) of adds, removals and replacements to an object. */
function patched(state, patch) {
  const document = structuredClone(state)
  for (const { op, path, value } of patch) {
    const [last, ...before] = path
      .split('/')
      .slice(1)
      .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
      .reverse()
    const parent = before.reverse().reduce((node, token) => node[token], document)
    if (op === 'remove') delete parent[last]
    else Object.defineProperty(parent, last, { value, enumerable: true, configurable: true, writable: true })
  }
  return document
}

/** Asks for what must be there. */
function asking(base, common) {
  return async (path, { headers = {}, ...options } = {}) => {
    const answer = await fetch(base + path, { ...options, headers: { ...common, ...headers } })
    if (answer.ok) return answer
    throw new Failure(
      `${options.method ?? 'GET'} ${base}${path} is refused: ${options.body ?? ''}\n${await answer.text()}`,
    )
  }
}
