import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import autocannon from 'autocannon'
import BetterSqlite3 from 'better-sqlite3'

const SERVER = fileURLToPath(new URL('../http-server.mjs', import.meta.url))
const MIGRATIONS = fileURLToPath(new URL('../../prisma/migrations/sqlite', import.meta.url))

/** A folder with a migrated database of so many personas. */
export function createPersonas(count) {
  const folder = mkdtempSync(join(tmpdir(), 'gator-bench-'))
  const file = join(folder, 'gator.db')
  const database = new BetterSqlite3(file)
  database.pragma('journal_mode = WAL')
  for (const entry of readdirSync(MIGRATIONS, { withFileTypes: true }).filter((item) => item.isDirectory())) {
    database.exec(readFileSync(join(MIGRATIONS, entry.name, 'migration.sql'), 'utf8'))
  }
  const insert = database.prepare(
    `INSERT INTO personas (id, name, appearance, personality, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)`,
  )
  const time = new Date().toISOString().replace('Z', '+00:00')
  const ids = Array.from(
    { length: count },
    (_value, index) => `01900000-0000-7000-8000-${String(index).padStart(12, '0')}`,
  )
  const text = 'short silver hair, round glasses, a navy blazer; '.repeat(8)
  database.transaction(() => ids.forEach((id, index) => insert.run(id, `Persona ${index}`, text, text, time, time)))()
  database.close()
  return { file, ids, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** Starts http-server.mjs; answers its address and how to end it. */
export async function startServer(job) {
  const child = fork(SERVER, [JSON.stringify(job)])
  const [message] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`the server ended with code ${code}`))),
  ])
  const stop = async () => {
    const exited = once(child, 'exit')
    child.disconnect()
    await exited
  }
  /** How late the server's event loop was since the last call, in milliseconds; for a server of one process. */
  const delays = async () => {
    const answer = once(child, 'message')
    child.send({ type: 'delays' })
    const [{ p99, max }] = await answer
    return { p99, max }
  }
  return { url: message.url, stop, delays }
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
  const text = 'short silver hair, round glasses, a navy blazer; '.repeat(8)
  const ids = []
  for (let index = 0; index < count; index++) {
    const body = JSON.stringify({ name: `Persona ${index}`, appearance: text, personality: text })
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
