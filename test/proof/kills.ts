import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { ServerProcess } from '../processes/server.js'
import { until } from '../processes/until.js'

const SHORTEST_PAUSE_MS = 20
export const LONGEST_PAUSE_MS = 150
const LISTENING = 'listening'
const DEATH = 'a worker died and is started again'
/** A slot whose workers die young is left alone for half a minute. */
const LONGEST_WAIT_MS = 45_000
const SLOT = /(?:^|\0)GATOR_WORKER_SLOT=(\d+)\0/

/** A seeded pause before a kill, in milliseconds. */
export function pauseBeforeKill(random: () => number): number {
  return SHORTEST_PAUSE_MS + random() * (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS)
}

export interface Kill {
  /** On the clock of `performance.now()`. */
  readonly at: number
  /** How long after the kill before it, or after the beginning, in milliseconds. */
  readonly pauseMs: number
  /** Whether the victim served, and was not one that was only starting. */
  readonly hasServed: boolean
}

export interface Worker {
  readonly pid: number
  readonly slot: number
}

/**
 * Kills random workers of a server with -9, those that are still starting among them, in pauses that chance decides. The
 * last one that serves is spared, since what it does is what is measured: when no other lives, the next kill waits until
 * one has been forked. A start takes 0.9 s of a processor and a kill comes every 85 ms on average, so two cores do not
 * keep up: of ten kills in a row of four workers three are of one that serves.
 */
export class WorkerKiller {
  readonly kills: Kill[] = []
  readonly #killed: Worker[] = []
  #lastAt = performance.now()

  constructor(
    private readonly server: ServerProcess,
    private readonly random: () => number,
  ) {}

  /** Kills one when its time has come. */
  async kill(): Promise<void> {
    const dueAt = this.#lastAt + pauseBeforeKill(this.random)
    // Asked for during the pause: that takes as long as the shortest one.
    const early = await this.#choose()
    await delay(Math.max(0, dueAt - performance.now()))
    const victim = early ?? (await until('a worker lives that may be killed', () => this.#choose(), LONGEST_WAIT_MS))
    const hasServed = this.#serving().has(victim.slot)
    const at = performance.now()
    process.kill(victim.pid, 'SIGKILL')
    this.#killed.push(victim)
    this.kills.push({ at, pauseMs: at - this.#lastAt, hasServed })
    this.#lastAt = at
  }

  async #choose(): Promise<Worker | undefined> {
    const living = await workersOf(this.server)
    const serving = this.#serving()
    const candidates = living
      .filter(({ pid }) => !this.#killed.some((victim) => victim.pid === pid))
      .filter(({ slot }) => serving.size > 1 || (serving.size === 1 && !serving.has(slot)))
    return candidates[Math.floor(this.random() * candidates.length)]
  }

  /** The slots whose workers listen and have not been killed, whether their deaths have been noticed or not. */
  #serving(): Set<unknown> {
    const serving = new Set<unknown>()
    const unnoticed = this.#killed.map(({ slot }) => slot)
    for (const { msg, worker } of this.server.lines) {
      if (msg === LISTENING) serving.add(worker)
      if (msg !== DEATH) continue
      serving.delete(worker)
      unnoticed.splice(unnoticed.indexOf(Number(worker)), 1)
    }
    for (const slot of unnoticed) serving.delete(slot)
    return serving
  }
}

/** The workers of a server, and which slot each of them has. */
export async function workersOf(server: ServerProcess): Promise<Worker[]> {
  return (await server.workerPids()).flatMap((pid) => workerOf(pid) ?? [])
}

// Undefined for one that has just been forked, and is still a copy of the primary, and for one that has just ended.
function workerOf(pid: number): Worker | undefined {
  try {
    const slot = SLOT.exec(readFileSync(`/proc/${pid}/environ`, 'utf8'))?.[1]
    return slot === undefined ? undefined : { pid, slot: Number(slot) }
  } catch {
    return undefined
  }
}
