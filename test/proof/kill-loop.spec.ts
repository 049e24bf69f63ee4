import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from '@jest/globals'
import { withDatabase } from '../processes/database-file.js'
import { Sandbox } from '../processes/sandbox.js'
import type { ServerProcess } from '../processes/server.js'
import { until } from '../processes/until.js'
import { Ledger } from './ledger.js'
import { Load } from './load.js'
import { saySeed, scale, say, seededRandom } from './scale.js'
import { median, summary } from './statistics.js'

const WORKERS = 4
/** Two are enough to be ended with the primary, and start in half the time. */
const WORKERS_OF_A_KILLED_PRIMARY = 2
const WRITERS = 4
/** A connection that was handed to a worker at the moment of its death answers nothing any more. */
const GIVE_UP_MS = 1_000
const SHORTEST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 150
/** The pause before a slot is filled again grows with each death: after so many kills a new server goes on. */
const KILLS_PER_SERVER = 10
const NEXT_WRITE_WITHIN_MS = 200
const WRITES_BEFORE_A_KILL = 20

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

describe('kill -9 under writes', () => {
  const sandbox = new Sandbox()
  const loads: Load[] = []
  afterEach(async () => {
    // The writers of a test that has failed end too.
    await Promise.all(loads.splice(0).map((load) => load.stop()))
    await sandbox.clear()
  })

  function startLoad(server: ServerProcess, ledger: Ledger, name: string): Load {
    const connect = () => sandbox.connect(server)
    const load = new Load({ ledger, writers: WRITERS, connect, name, timeoutMs: GIVE_UP_MS })
    loads.push(load)
    return load
  }

  /** Waits until so many more writes have been acknowledged; if not, says what the server said. */
  function progress(server: ServerProcess, load: Load): Promise<void> {
    return load.progress(WRITES_BEFORE_A_KILL).catch((error: Error) => {
      throw new Error(`${error.message}\n${server.output}`)
    })
  }

  /** The workers that live, when the primary has noticed so many deaths and at least two listen; undefined until then. */
  async function serving(server: ServerProcess, deaths: number): Promise<number[] | undefined> {
    const alive = await server.workerPids()
    if (server.linesWith('a worker died and is started again').length < deaths) return undefined
    const listening = new Set<unknown>()
    for (const { msg, worker } of server.lines) {
      if (msg === 'listening') listening.add(worker)
      if (msg === 'a worker died and is started again') listening.delete(worker)
    }
    return listening.size >= 2 ? alive : undefined
  }

  it(
    'of a random worker loses no acknowledged write, and the others go on at once',
    async () => {
      saySeed()
      const random = seededRandom()
      const folder = sandbox.folder()
      const ledger = new Ledger()
      const gaps: number[] = []
      const pauses: number[] = []
      for (let done = 0; done < scale.workerKills; done += KILLS_PER_SERVER) {
        const server = await sandbox.start({ folder, workers: WORKERS })
        const load = startLoad(server, ledger, `Worker ${done}`)
        await progress(server, load)
        const kills: number[] = []
        for (let kill = 0; kill < Math.min(KILLS_PER_SERVER, scale.workerKills - done); kill++) {
          await delay(SHORTEST_PAUSE_MS + random() * (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS))
          // At least one must be left: what it does is what is measured.
          const workers = await until('two workers serve', () => serving(server, kill))
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
      say(`${gaps.length} kills of a worker; between kills: ${summary(pauses)}`)
      say(`longest time without an acknowledged write after a kill: ${summary(gaps)}`)
      say(
        `acknowledged ${ledger.total('acknowledged')}, unknown ${ledger.total('unknown')}, refused ${ledger.total('refused')}`,
      )
      expect(withDatabase(folder, (database) => ledger.judge(database))).toEqual([])
      expect(ledger.total('acknowledged')).toBeGreaterThan(scale.workerKills)
      expect(median(gaps)).toBeLessThanOrEqual(NEXT_WRITE_WITHIN_MS)
    },
    scale.testTimeoutMs,
  )

  it(
    'of the primary loses no acknowledged write, and leaves a database that the next server takes',
    async () => {
      const random = seededRandom()
      const folder = sandbox.folder()
      const ledger = new Ledger()
      const firstWrites: number[] = []
      for (let kill = 0; kill < scale.primaryKills; kill++) {
        const server = await sandbox.start({ folder, workers: WORKERS_OF_A_KILLED_PRIMARY })
        const listensAt = performance.now()
        const load = startLoad(server, ledger, `Primary ${kill}`)
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
