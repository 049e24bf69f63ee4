import { afterAll, expect, it } from '@jest/globals'
import { setTimeout as delay } from 'node:timers/promises'
import { aPersona } from '../processes/a-persona.js'
import type { Answer, Connection, RequestOptions } from '../processes/connection.js'
import { Sandbox } from '../processes/sandbox.js'
import type { ServerProcess } from '../processes/server.js'
import { onEachDatabase, type TestDatabase } from '../support/databases.js'
import { WorkerKiller } from './kills.js'
import { contradictions, type Operation } from './linearizability.js'
import { saySeed, say, scale, seededRandom } from './scale.js'

const WORKERS = 4
const PERSONAS = 5
const WRITERS = 4
const READERS = 8
const GIVE_UP_MS = 2_000
const RECONNECT_MS = 10
/** Rests between the writes of one client, so that there is something to be kept between them; of readers none. */
const LONGEST_REST_MS = 20
const OK = 200
const NOT_MODIFIED = 304

/** Clients that write and read a few personas, and remember every call. */
class Traffic {
  readonly history: Operation[] = []
  /** How many answers each worker has given to reads. */
  readonly readsOf = new Map<number | undefined, number>()
  notModified = 0
  isOver = false

  constructor(
    private readonly connect: () => Connection,
    private readonly ids: readonly string[],
    private readonly random: () => number,
  ) {}

  /** Writes by PUT, each time another name. */
  async write(writer: number): Promise<void> {
    await this.#client(async (request, n) => {
      const persona = this.#any()
      const value = `writer ${writer}, write ${n}`
      const start = performance.now()
      const answer = await request('PUT', persona, { body: { name: value } })
      if (answer && answer.status !== OK) throw new Error(`a write was answered with ${answer.status}`)
      const end = answer ? performance.now() : Infinity
      this.history.push({ kind: 'write', persona, start, end, value, version: answer?.body.version })
      await delay(this.random() * LONGEST_REST_MS)
    })
  }

  /** Writes past the service, which counts the version itself. */
  async writePast(database: TestDatabase): Promise<void> {
    for (let n = 0; !this.isOver; n++) {
      const persona = this.#any()
      const value = `past the service ${n}`
      const start = performance.now()
      const rows = await database.query(
        `UPDATE personas SET name = '${value}', version = version + 1 WHERE id = '${persona}' RETURNING version`,
      )
      const version = Number(rows[0]?.['version'])
      this.history.push({ kind: 'write', persona, start, end: performance.now(), value, version })
      await delay(this.random() * LONGEST_REST_MS * 5)
    }
  }

  /** Reads one, one that it may know already, or all in a list. */
  async read(): Promise<void> {
    const known = new Map<string, { readonly etag: string; readonly value: string; readonly version: number }>()
    await this.#client(async (request) => {
      const persona = this.#any()
      const choice = this.random()
      const start = performance.now()
      const last = choice < 0.3 ? known.get(persona) : undefined
      const path = choice > 0.8 ? '' : persona
      const answer = await request('GET', path, last ? { headers: { 'if-none-match': last.etag } } : {})
      if (!answer) return
      const end = performance.now()
      this.readsOf.set(answer.worker, (this.readsOf.get(answer.worker) ?? 0) + 1)
      if (answer.status === NOT_MODIFIED && last) {
        this.notModified++
        this.history.push({ kind: 'read', persona, start, end, value: last.value, version: last.version })
        return
      }
      if (answer.status !== OK) throw new Error(`a read was answered with ${answer.status}`)
      const bodies = [answer.body].flat()
      // Nobody is created or deleted meanwhile.
      if (path === '' && (bodies.length !== PERSONAS || answer.headers['x-total-count'] !== String(PERSONAS))) {
        throw new Error(`a list has ${bodies.length} personas of ${String(answer.headers['x-total-count'])}`)
      }
      for (const body of bodies) {
        const { id, version, name } = body as unknown as { id: string; version: number; name: string }
        this.history.push({ kind: 'read', persona: id, start, end, value: name, version })
        if (path !== '') known.set(id, { etag: String(answer.headers.etag), value: name, version })
      }
    })
  }

  /** Works until it is over; a connection that breaks is replaced, and what was asked for on it has no answer. */
  async #client(
    work: (
      request: (method: string, path: string, options: RequestOptions) => Promise<Answer | undefined>,
      n: number,
    ) => Promise<void>,
  ): Promise<void> {
    let connection = this.connect()
    const request = async (method: string, path: string, options: RequestOptions) => {
      const timeoutMs = GIVE_UP_MS
      const answer = await connection
        .request(method, `/api/v1/personas/${path}`, { ...options, timeoutMs })
        .catch(() => undefined)
      if (answer) return answer
      connection.close()
      await delay(RECONNECT_MS)
      connection = this.connect()
      return undefined
    }
    for (let n = 0; !this.isOver; n++) await work(request, n)
    connection.close()
  }

  #any(): string {
    return this.ids[Math.floor(this.random() * this.ids.length)] ?? ''
  }
}

onEachDatabase((kind) => {
  const sandbox = new Sandbox(kind)
  afterAll(() => sandbox.clear())

  // Whichever worker answers, from its memory or not, and whoever has written, and while workers are killed.
  it(
    `every read on ${kind} shows what was acknowledged before it began`,
    async () => {
      saySeed()
      const random = seededRandom()
      const database = await sandbox.database()
      const server = await sandbox.start({ database, workers: WORKERS })
      const ids = await createSome(server)
      // Readers at each of them to begin with: later the system chooses.
      const each = await sandbox.connectToEachWorker(server, WORKERS)
      const traffic = new Traffic(() => each.pop() ?? sandbox.connect(server), ids, random)
      for (const id of ids) {
        const value = 'first'
        traffic.history.push({ kind: 'write', persona: id, start: 0, end: performance.now(), value, version: 1 })
      }
      const clients = [
        ...Array.from({ length: READERS }, () => traffic.read()),
        ...Array.from({ length: WRITERS }, (_value, writer) => traffic.write(writer)),
        traffic.writePast(database),
      ]
      const whole = Promise.all(clients)
      await kill(server, random).finally(() => {
        traffic.isOver = true
        return whole
      })

      const { history, readsOf, notModified } = traffic
      const reads = history.filter((operation) => operation.kind === 'read').length
      say(
        `${kind}: ${history.length - reads} writes, ${reads} reads (${notModified} not modified) by ${readsOf.size} workers`,
      )
      expect(contradictions(history)).toEqual([])
      expect([...readsOf.keys()].sort()).toEqual([1, 2, 3, 4])
      expect(reads).toBeGreaterThan(history.length / 2)
      expect(notModified).toBeGreaterThan(0)
    },
    scale.testTimeoutMs,
  )

  async function createSome(server: ServerProcess): Promise<string[]> {
    const connection = sandbox.connect(server)
    const made = []
    for (let n = 0; n < PERSONAS; n++) made.push(await connection.create(aPersona({ name: 'first' })))
    return made.map(({ body }) => body.id)
  }

  /** Lets the traffic go on for its time, with a kill of a worker at the end of each part of it. */
  async function kill(server: ServerProcess, random: () => number): Promise<void> {
    const killer = new WorkerKiller(server, random)
    const { freshnessMs, freshnessKills } = scale
    for (let n = 0; n < freshnessKills; n++) {
      await delay(freshnessMs / freshnessKills)
      await killer.kill()
    }
    await delay(freshnessMs / freshnessKills)
  }
})
