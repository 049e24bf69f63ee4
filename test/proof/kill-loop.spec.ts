import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from '@jest/globals'
import { withDatabase } from '../processes/database-file.js'
import { Sandbox } from '../processes/sandbox.js'
import type { ServerProcess } from '../processes/server.js'
import { until } from '../processes/until.js'
import type { TestDatabase } from '../support/databases.js'
import { Ledger, type LedgerRow } from './ledger.js'
import { Load } from './load.js'
import { saySeed, scale, say, seededRandom } from './scale.js'
import { median, summary } from './statistics.js'

const WORKERS = 4
/** Two are enough to be ended with the primary, and start in half the time. */
const WORKERS_OF_A_KILLED_PRIMARY = 2
const WRITERS = 4
/** A connection that was handed to a worker at the moment of its death answers nothing any more. */
const GIVE_UP_MS = 1_000
/** A write is always under way, and the processor is free for whoever is started again. */
const REST_MS = 5
const SHORTEST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 150
/** The pause before a slot is filled again grows with each death: after so many kills a new server goes on. */
const KILLS_PER_SERVER = 10
const NEXT_WRITE_WITHIN_MS = 200
/** There every write needs a second process, which a busy machine lets wait as well. */
const NEXT_WRITE_ON_POSTGRESQL_WITHIN_MS = 500
const WRITES_BEFORE_A_KILL = 20
const DEATH = 'a worker died and is started again'

/**
 * How long nobody's write was acknowledged, at the longest, between a kill and the next one (or the second after it).
 * The gap that the kill falls into counts wholly.
 */
function longestGapAfter(killedAt: number, until: number, acknowledgedAt: readonly number[]): number {
  const before = acknowledgedAt.filter((at) => at <= killedAt).at(-1) ?? killedAt
  const next = acknowledgedAt.find((at) => at > until) ?? until
  const times = [before, ...acknowledgedAt.filter((at) => at > killedAt && at <= until), next]
  return Math.max(...times.slice(1).map((at, index) => at - (times[index] ?? at)))
}

/** The longest gap after each of the kills. */
function gapsAfter(kills: readonly number[], load: Load): number[] {
  const acknowledgedAt = load.outcomes.filter(({ fate }) => fate === 'acknowledged').map(({ at }) => at)
  const last = acknowledgedAt.at(-1) ?? 0
  return kills.map((kill, index) =>
    longestGapAfter(kill, Math.min(kills[index + 1] ?? last, kill + 1_000), acknowledgedAt),
  )
}

/** What contradicts the ledger; in SQLite's file, which the killed had open themselves, also what is broken. */
async function verdictsOn({ name, url, query }: TestDatabase, ledger: Ledger): Promise<string[]> {
  if (name === 'SQLite') return withDatabase(dirname(url.replace(/^file:/, '')), (file) => ledger.judge(file))
  const rows = await query('SELECT id, name, generation_count FROM personas')
  return ledger.judgeRows(rows as unknown as LedgerRow[])
}

describe('kill -9 under writes', () => {
  const sandboxes = { SQLite: new Sandbox('SQLite'), PostgreSQL: new Sandbox('PostgreSQL') }
  const loads: Load[] = []
  afterEach(async () => {
    // The writers of a test that has failed end too.
    await Promise.all(loads.splice(0).map((load) => load.stop()))
    await Promise.all(Object.values(sandboxes).map((sandbox) => sandbox.clear()))
  })

  function startLoad(sandbox: Sandbox, server: ServerProcess, ledger: Ledger, name: string): Load {
    const connect = () => sandbox.connect(server)
    const load = new Load({ ledger, writers: WRITERS, connect, name, timeoutMs: GIVE_UP_MS, restMs: REST_MS })
    loads.push(load)
    return load
  }

  /** Waits until so many more writes have been acknowledged; if not, says what the server said. */
  function progress(server: ServerProcess, load: Load): Promise<void> {
    return load.progress(WRITES_BEFORE_A_KILL).catch((error: Error) => {
      throw new Error(`${error.message}\n${server.output}`)
    })
  }

  /** The workers that live, when every one of the kills has been noticed and at least two listen; undefined until then. */
  async function serving(server: ServerProcess, kills: number): Promise<number[] | undefined> {
    if (server.linesWith(DEATH).length < kills) return undefined
    const listening = new Set<unknown>()
    for (const { msg, worker } of server.lines) {
      if (msg === 'listening') listening.add(worker)
      if (msg === DEATH) listening.delete(worker)
    }
    return listening.size >= 2 ? server.workerPids() : undefined
  }

  it.each(['SQLite', 'PostgreSQL'] as const)(
    'of a random worker on %s loses no acknowledged write, and the others go on at once',
    async (kind) => {
      saySeed()
      const random = seededRandom()
      const sandbox = sandboxes[kind]
      const database = await sandbox.database()
      const ledger = new Ledger()
      const gaps: number[] = []
      const pauses: number[] = []
      // PostgreSQL's own processes are not the ones that are killed: a quarter of the kills tells.
      const workerKills = kind === 'SQLite' ? scale.workerKills : scale.workerKills / 4
      for (let done = 0; done < workerKills; done += KILLS_PER_SERVER) {
        const server = await sandbox.start({ database, workers: WORKERS })
        const load = startLoad(sandbox, server, ledger, `Worker ${done}`)
        await progress(server, load)
        const kills: number[] = []
        for (let kill = 0; kill < Math.min(KILLS_PER_SERVER, workerKills - done); kill++) {
          await delay(SHORTEST_PAUSE_MS + random() * (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS))
          // At least one must be left: what it does is what is measured.
          const workers = await until('two workers serve', () => serving(server, kills.length))
          const victim = workers[Math.floor(random() * workers.length)] ?? 0
          if (kills.length > 0) pauses.push(performance.now() - (kills.at(-1) ?? NaN))
          kills.push(performance.now())
          process.kill(victim, 'SIGKILL')
        }
        await progress(server, load)
        await load.stop()
        gaps.push(...gapsAfter(kills, load))
        expect(await server.stop()).toEqual({ code: 0, signal: null })
      }
      say(`${kind}: ${gaps.length} kills of a worker; between kills: ${summary(pauses)}`)
      say(`longest time without an acknowledged write after a kill: ${summary(gaps)}`)
      say(
        `acknowledged ${ledger.total('acknowledged')}, unknown ${ledger.total('unknown')}, refused ${ledger.total('refused')}`,
      )
      expect(await verdictsOn(database, ledger)).toEqual([])
      expect(ledger.total('acknowledged')).toBeGreaterThan(workerKills)
      const withinMs = kind === 'SQLite' ? NEXT_WRITE_WITHIN_MS : NEXT_WRITE_ON_POSTGRESQL_WITHIN_MS
      expect(median(gaps)).toBeLessThanOrEqual(withinMs)
    },
    scale.testTimeoutMs,
  )

  // Beyond SQLite's file a primary leaves nothing that its successor could find broken.
  it(
    'of the primary on SQLite loses no acknowledged write, and leaves a database that the next server takes',
    async () => {
      const random = seededRandom()
      const sandbox = sandboxes.SQLite
      const folder = sandbox.folder()
      const ledger = new Ledger()
      const firstWrites: number[] = []
      for (let kill = 0; kill < scale.primaryKills; kill++) {
        const server = await sandbox.start({ folder, workers: WORKERS_OF_A_KILLED_PRIMARY })
        const listensAt = performance.now()
        const load = startLoad(sandbox, server, ledger, `Primary ${kill}`)
        await progress(server, load)
        firstWrites.push((load.outcomes.find(({ fate }) => fate === 'acknowledged')?.at ?? NaN) - listensAt)
        await delay(SHORTEST_PAUSE_MS + random() * (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS))
        server.kill('SIGKILL')
        // Closed: the workers have ended too.
        expect(await server.closed).toEqual({ code: null, signal: 'SIGKILL' })
        await load.stop()
      }
      say(`${firstWrites.length} kills of the primary; first write of the next server: ${summary(firstWrites)}`)
      say(
        `acknowledged ${ledger.total('acknowledged')}, unknown ${ledger.total('unknown')}, refused ${ledger.total('refused')}`,
      )
      expect(withDatabase(folder, (database) => ledger.judge(database))).toEqual([])
      expect(median(firstWrites)).toBeLessThanOrEqual(NEXT_WRITE_WITHIN_MS)
    },
    scale.testTimeoutMs,
  )
})
