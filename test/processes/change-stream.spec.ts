import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import type { ChangeResource } from '../../src/personas/changes/change.resource.js'
import { onEachDatabase, type TestDatabase } from '../support/databases.js'
import { EventListener } from '../support/event-listener.js'
import { aPersona } from './a-persona.js'
import type { Connection } from './connection.js'
import { Sandbox } from './sandbox.js'
import type { ServerProcess } from './server.js'
import { until } from './until.js'

const WORKERS = 4
const WRITERS = 6
const LISTENERS = 5
const CHANGES_BEFORE_A_KILL = 150
const CHANGES_AFTER_A_KILL = 300
const TEST_TIMEOUT_MS = 90_000
const GIVE_UP_MS = 3_000
/** How long a listener listens before it is cut, at most. */
const CUT_WITHIN_MS = 400

const seqOf = ({ id }: { readonly id: string }) => Number(id.split('-')[1])

/** A client that is cut off again and again, and goes on wherever it is connected to. */
class Follower {
  readonly changes: ChangeResource[] = []
  readonly workers = new Set<string>()
  cuts = 0
  resets = 0
  /** How streams ended that were not cut from here. */
  readonly endings: string[] = []
  #isDone = false
  readonly #url: () => string
  readonly #running: Promise<void>

  constructor(url: () => string, start: string) {
    this.#url = url
    this.#running = this.#follow(start)
  }

  /** Goes on until it was told a change, and ends. */
  async upTo(seq: number): Promise<void> {
    await until(`the change ${seq}`, () => this.changes.some((change) => seqOf(change) === seq))
    this.#isDone = true
    await this.#running
  }

  async #follow(start: string): Promise<void> {
    for (let last = start; !this.#isDone; this.cuts++) {
      const headers = { 'last-event-id': last }
      const listener = await EventListener.open(this.#url(), { headers }).catch(() => undefined)
      if (!listener) {
        await delay(20)
        continue
      }
      this.workers.add(String(listener.response.headers['x-worker']))
      const end = performance.now() + Math.random() * CUT_WITHIN_MS
      while (performance.now() < end && listener.ending === undefined) await delay(5)
      if (listener.ending !== undefined) this.endings.push(listener.ending)
      listener.close()
      last = listener.lastId
      this.changes.push(...listener.changes)
      this.resets += listener.events.filter(({ event }) => event === 'reset').length
    }
  }
}

onEachDatabase((kind) => {
  describe('the change stream of four workers', () => {
    const sandbox = new Sandbox(kind)
    afterAll(() => sandbox.clear())

    /** Writes on, whatever becomes of the worker that it is connected to. */
    async function writeAway(server: () => ServerProcess, writer: number, isOver: () => boolean): Promise<void> {
      let connection = sandbox.connect(server())
      let id = ''
      for (let n = 0; !isOver(); n++) {
        const url = `/api/v1/personas/${id}`
        try {
          const options = { timeoutMs: GIVE_UP_MS }
          if (n % 5 === 0) {
            const body = aPersona({ name: `Writer ${writer}` })
            id = (await connection.request('POST', '/api/v1/personas/', { ...options, body })).body.id
          } else if (n % 5 === 3) await connection.request('POST', `${url}/generations`, options)
          else if (n % 5 === 4) await connection.request('DELETE', url, options)
          else await connection.request('PUT', url, { ...options, body: { name: `Writer ${writer}, ${n}` } })
        } catch {
          connection.close()
          await delay(10)
          connection = sandbox.connect(server())
          n = -1
        }
      }
    }

    const countOf = async (database: TestDatabase) =>
      Number((await database.query('SELECT count(*) AS count FROM persona_revisions'))[0]?.['count'])

    it(
      'tells everybody every change once, in order, through cuts, a kill -9 and a restart',
      async () => {
        const database = await sandbox.database()
        let server = await sandbox.start({ database, workers: WORKERS })
        const present = await (await fetch(`${server.url}/api/v1/personas/changes`)).json()
        const { next } = present as { next: string }
        const followers = Array.from({ length: LISTENERS }, () => new Follower(() => server.url, next))
        let isOver = false
        const writers = Array.from({ length: WRITERS }, (_value, n) =>
          writeAway(
            () => server,
            n,
            () => isOver,
          ),
        )
        const grown = async (by: number) => {
          const goal = (await countOf(database)) + by
          await until(`${by} changes more`, async () => (await countOf(database)) >= goal, 30_000)
        }
        await grown(CHANGES_BEFORE_A_KILL)
        const [pid = 0] = await server.workerPids()
        process.kill(pid, 'SIGKILL')
        await database.query(`UPDATE personas SET name = 'By hand', write_context = NULL WHERE name = 'Writer 1'`)
        await grown(CHANGES_AFTER_A_KILL)
        const old = server
        expect((await old.stop()).code).toBe(0)
        server = await sandbox.start({ database, workers: WORKERS })
        await grown(CHANGES_AFTER_A_KILL)
        isOver = true
        await Promise.all(writers)

        const rows = await database.query('SELECT seq, kind, persona_id, version FROM persona_revisions ORDER BY seq')
        const made = rows.map(({ seq, kind: what, persona_id: id, version }) => [Number(seq), what, id, version])
        for (const follower of followers) {
          await follower.upTo(Number(made.at(-1)?.[0]))
          const told = follower.changes.map((change) => [seqOf(change), change.type, change.persona_id, change.version])
          expect(told).toEqual(made)
          expect([follower.resets, follower.cuts > 5, follower.workers.size > 1]).toEqual([0, true, true])
        }
        expect(new Set(followers.flatMap(({ workers }) => [...workers])).size).toBe(WORKERS)
        expect(followers.flatMap(({ endings }) => endings).sort()).toContain('in order')
        expect(rows.filter(({ kind: what }) => what === 'generated').length).toBeGreaterThan(10)
      },
      TEST_TIMEOUT_MS,
    )

    if (kind === 'PostgreSQL') {
      it('waits for a transaction that took its number first and commits last', async () => {
        const database = await sandbox.database()
        const server = await sandbox.start({ database, workers: 2 })
        const [first, second] = (await sandbox.connectToEachWorker(server, 2)) as [Connection, Connection]
        const { body: early } = await first.create(aPersona())
        const listener = await EventListener.open(server.url)
        const client = new pg.Client(database.url)
        await client.connect()
        try {
          await client.query('BEGIN')
          await client.query(`UPDATE personas SET name = 'First in, last out' WHERE id = '${early.id}'`)
          const { body: late } = await second.create(aPersona())
          await first.create(aPersona())
          // Longer than the sweep, which would show them too early.
          await delay(1_200)
          expect(listener.events).toEqual([])
          await client.query('COMMIT')
          await listener.received(3)
          expect(listener.changes.slice(0, 2).map(({ persona_id: id }) => id)).toEqual([early.id, late.id])
          expect(listener.changes[0]?.persona?.name).toBe('First in, last out')
        } finally {
          await client.end()
          listener.close()
        }
      })
    }
  })
})
