import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import autocannon from 'autocannon'
import { makeSqlite } from './databases.mjs'
import { DESCRIPTION, idOf } from './personas.mjs'
import { startServer } from './service.mjs'

const SERVER = new URL('../http-server.mjs', import.meta.url)

/** A folder with a migrated database of so many personas. */
export function createPersonas(count) {
  const folder = mkdtempSync(join(tmpdir(), 'gator-bench-'))
  const file = makeSqlite(folder, count)
  const ids = Array.from({ length: count }, (_value, index) => idOf(index))
  return { folder, file, ids, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** Starts http-server.mjs on them, with `ours` or Prisma's `official` adapter below the repositories. */
export function startHttpServer({ folder, file }, { adapter, synchronous, workers }) {
  const settings = { DATABASE_URL: `file:${file}`, DATABASE_SYNCHRONOUS: synchronous, WORKERS: String(workers) }
  return startServer({ program: SERVER, args: [adapter], folder, settings })
}

/** Sends updates of different personas over so many connections, from this process, for so long. */
export function loadUpdates(target) {
  return load(target, (request, id, serial) => ({
    ...request,
    method: 'PUT',
    path: `/api/v1/personas/${id}`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ base_image_path: `images/${serial}.png` }),
  }))
}

/** Sends reads of different personas. */
export function loadReads(target) {
  return load(target, (request, id) => ({ ...request, method: 'GET', path: `/api/v1/personas/${id}` }))
}

const json = { 'content-type': 'application/json' }

/** Sends reads, lists and updates of random personas, mixed 80 : 10 : 10. */
export function loadMix(target) {
  return load(target, (request) => {
    const id = target.ids[Math.floor(Math.random() * target.ids.length)]
    const draw = Math.random()
    if (draw < 0.8) return { ...request, method: 'GET', path: `/api/v1/personas/${id}` }
    if (draw < 0.9) return { ...request, method: 'GET', path: '/api/v1/personas?limit=10' }
    const body = JSON.stringify({ base_image_path: `images/${draw}.png` })
    return { ...request, method: 'PUT', path: `/api/v1/personas/${id}`, headers: json, body }
  })
}

/** Creates so many personas, and answers their ids. */
export async function createOverHttp(url, count) {
  const ids = []
  for (let index = 0; index < count; index++) {
    const body = JSON.stringify({ name: `Persona ${index}`, appearance: DESCRIPTION, personality: DESCRIPTION })
    const answer = await fetch(`${url}/api/v1/personas`, { method: 'POST', headers: json, body })
    ids.push((await answer.json()).id)
  }
  return ids
}

async function load({ url, ids, connections, seconds }, requestOf) {
  let serial = 0
  const setupRequest = (request) => {
    serial += 1
    return requestOf(request, ids[serial % ids.length], serial)
  }
  const result = await autocannon({ url, connections, duration: seconds, requests: [{ setupRequest }] })
  const failed = result.non2xx + result.errors + result.timeouts
  const { p50, p99, max } = result.latency
  return { perSecond: result['2xx'] / result.duration, failed, p50, p99, max }
}
