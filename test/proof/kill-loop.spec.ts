import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from '@jest/globals'
import { withDatabase } from '../processes/database-file.js'
import { Sandbox } from '../processes/sandbox.js'
import type { Exit, ServerProcess } from '../processes/server.js'
import type { TestDatabase } from '../support/databases.js'
import { type Kill, LONGEST_PAUSE_MS, pauseBeforeKill, WorkerKiller } from './kills.js'
import { Ledger, type LedgerRow } from './ledger.js'
import { Load } from './load.js'
import { saySeed, scale, say, seededRandom } from './scale.js'
import { shareWithin, summary } from './statistics.js'

/** All but the last one are killed while they serve. After that the kills are faster than two cores can start others. */
const WORKERS = { SQLite: 4, PostgreSQL: 3 }
/** Two are enough to be ended with the primary, and start in half the time. */
const WORKERS_OF_A_KILLED_PRIMARY = 2
/**
 * So many that one of them is always connected to a worker that lives: a connection that was handed to a worker at the
 * moment of its death answers nothing any more, and would be measured in place of the server.
 */
const WRITERS = 12
/** Such a connection is given up after this. */
const GIVE_UP_MS = 1_000
/** A write is always under way, and the processor is free for whoever is started again. */
const REST_MS = 15
/** The pause before a slot is filled again grows with each death: after so many kills a new server goes on. */
const KILLS_PER_SERVER = 10
const NEXT_WRITE_WITHIN_MS = 200
/** There every write needs a second process, which a busy machine lets wait as well. */
const NEXT_WRITE_ON_POSTGRESQL_WITHIN_MS = 500
const WRITES_BEFORE_A_KILL = 20
const WRITES_BEFORE_A_PRIMARY_IS_KILLED = 4
const WRITERS_BEFORE_A_PRIMARY_IS_KILLED = 4
/** How much later than meant a kill may come, and how many must not: to list processes takes a busy machine a while. */
const LATE_BY_MS = 50
const PUNCTUAL_SHARE = 0.8
/**
 * Of the kills so many must be of a worker that served: who kills only what is just starting disturbs nobody. Of three
 * workers the first two are there to be killed with each server; the other eight kills mostly come before the next serves.
 */
const SERVED_SHARE = 1 / 6

/** How long after each kill the first write was acknowledged that was asked for after it; Infinity when none was. */
function nextWritesAfter(kills: readonly Kill[], { outcomes }: Load): number[] {
  const acknowledged = outcomes.filter(({ fate }) => fate === 'acknowledged')
  return kills.map(({ at: killedAt }) => {
    const next = acknowledged.find(({ at, answer }) => at - (answer?.durationMs ?? NaN) >= killedAt)
    return (next?.at ?? Infinity) - killedAt
  })
}

/** What contradicts the ledger; in SQLite's file, which the killed had open themselves, also what is broken. */
async function verdictsOn({ name, url, query }: TestDatabase, ledger: Ledger): Promise<string[]> {
  if (name === 'SQLite') return withDatabase(dirname(url.replace(/^file:/, '')), (file) => ledger.judge(file))
  const rows = await query('SELECT id, name, generation_count FROM personas')
  return ledger.judgeRows(rows as unknown as LedgerRow[])
}

describe('kill -9 under writes', () => {
  const sandboxes = { SQLite: new Sandbox('SQLite', true), PostgreSQL: new Sandbox('PostgreSQL', true) }
  const loads: Load[] = []
  afterEach(async () => {
    // The writers of a test that has failed end too.
    await Promise.all(loads.splice(0).map((load) => load.stop()))
    await Promise.all(Object.values(sandboxes).map((sandbox) => sandbox.clear()))
  })

  function startLoad(sandbox: Sandbox, server: ServerProcess, ledger: Ledger, name: string, writers = WRITERS): Load {
    const connect = () => sandbox.connect(server)
    const load = new Load({ ledger, writers, connect, name, timeoutMs: GIVE_UP_MS, restMs: REST_MS })
    loads.push(load)
    return load
  }

  /** Waits until so many more writes have been acknowledged; if not, says what the server said. */
  function progress(server: ServerProcess, load: Load, writes = WRITES_BEFORE_A_KILL): Promise<void> {
    return load.progress(writes).catch((error: Error) => {
      throw new Error(`${error.message}\n${server.output}`)
    })
  }

  /** Kills so many workers of a server under a load, and ends both. */
  async function killWorkers(server: ServerProcess, load: Load, count: number, random: () => number) {
    await progress(server, load)
    const killer = new WorkerKiller(server, random)
    for (let kill = 0; kill < count; kill++) await killer.kill()
    await progress(server, load)
    await load.stop()
    expect(await server.stop()).toEqual({ code: 0, signal: null })
    return killer.kills
  }

  it.each(['SQLite', 'PostgreSQL'] as const)(
    'of a random worker on %s loses no acknowledged write, and the others go on at once',
    async (kind) => {
      saySeed()
      const random = seededRandom()
      const sandbox = sandboxes[kind]
      const database = await sandbox.database()
      const ledger = new Ledger()
      const kills: Kill[] = []
      const nextWrites: number[] = []
      // PostgreSQL's own processes are not the ones that are killed: a quarter of the kills tells.
      const workerKills = kind === 'SQLite' ? scale.workerKills : scale.workerKills / 4
      while (kills.length < workerKills) {
        const server = await sandbox.start({ database, workers: WORKERS[kind] })
        const load = startLoad(sandbox, server, ledger, `Worker ${kills.length}`)
        const ofThisServer = await killWorkers(
          server,
          load,
          Math.min(KILLS_PER_SERVER, workerKills - kills.length),
          random,
        )
        kills.push(...ofThisServer)
        nextWrites.push(...nextWritesAfter(ofThisServer, load))
      }
      const pauses = kills.map(({ pauseMs }) => pauseMs)
      const served = kills.filter(({ hasServed }) => hasServed).length
      say(`${kind}: ${kills.length} kills of a worker, ${served} of them while it served; pauses: ${summary(pauses)}`)
      say(`next write that was asked for after a kill: ${summary(nextWrites)}`)
      say(
        `acknowledged ${ledger.total('acknowledged')}, unknown ${ledger.total('unknown')}, refused ${ledger.total('refused')}`,
      )
      expect(await verdictsOn(database, ledger)).toEqual([])
      expect(ledger.total('acknowledged')).toBeGreaterThan(workerKills)
      expect(served).toBeGreaterThanOrEqual(kills.length * SERVED_SHARE)
      expect(shareWithin(pauses, LONGEST_PAUSE_MS + LATE_BY_MS)).toBeGreaterThanOrEqual(PUNCTUAL_SHARE)
      const withinMs = kind === 'SQLite' ? NEXT_WRITE_WITHIN_MS : NEXT_WRITE_ON_POSTGRESQL_WITHIN_MS
      expect(shareWithin(nextWrites, withinMs)).toBeGreaterThanOrEqual(scale.promptShare)
    },
    scale.testTimeoutMs,
  )

  // Beyond SQLite's file a primary leaves nothing that its successor could find broken. A cycle is the start of a server,
  // 1.6 s on two cores, and nothing makes it shorter: twenty would take half a minute, so there are six here, and 500 in
  // the soak.
  it(
    'of the primary on SQLite loses no acknowledged write, and leaves a database that the next server takes',
    async () => {
      const random = seededRandom()
      const sandbox = sandboxes.SQLite
      const folder = sandbox.folder()
      const ledger = new Ledger()
      const sinceListening: number[] = []
      const sinceKill: number[] = []
      const exits: Promise<Exit>[] = []
      let killedAt: number | undefined
      for (let kill = 0; kill <= scale.primaryKills; kill++) {
        // At once: the workers of the one that was killed may be ending still, or in the middle of a write.
        const server = sandbox.launch({ folder, workers: WORKERS_OF_A_KILLED_PRIMARY })
        await server.line('all workers listen')
        const listensAt = performance.now()
        const load = startLoad(sandbox, server, ledger, `Primary ${kill}`, WRITERS_BEFORE_A_PRIMARY_IS_KILLED)
        await progress(server, load, WRITES_BEFORE_A_PRIMARY_IS_KILLED)
        const firstAt = load.outcomes.find(({ fate }) => fate === 'acknowledged')?.at ?? NaN
        if (killedAt !== undefined) {
          sinceListening.push(firstAt - listensAt)
          sinceKill.push(firstAt - killedAt)
        }
        await delay(pauseBeforeKill(random))
        server.kill('SIGKILL')
        killedAt = performance.now()
        exits.push(server.closed)
        void load.stop()
      }
      // Closed: the workers have ended too.
      for (const exit of await Promise.all(exits)) expect(exit).toEqual({ code: null, signal: 'SIGKILL' })
      await Promise.all(loads.map((load) => load.stop()))
      say(`${sinceKill.length} kills of the primary; first write since the kill: ${summary(sinceKill)}`)
      say(`first write since the next server listened: ${summary(sinceListening)}`)
      say(
        `acknowledged ${ledger.total('acknowledged')}, unknown ${ledger.total('unknown')}, refused ${ledger.total('refused')}`,
      )
      expect(withDatabase(folder, (database) => ledger.judge(database))).toEqual([])
      expect(shareWithin(sinceListening, NEXT_WRITE_WITHIN_MS)).toBeGreaterThanOrEqual(scale.promptShare)
    },
    scale.testTimeoutMs,
  )
})
