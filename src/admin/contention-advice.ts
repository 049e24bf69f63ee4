import type { WorkerContention } from '../metrics/contention.js'

/** From these on, people wait; the first two are what a store for this many writers should be out of. */
const SLOW_P99_MS = 100
const LONG_HOLD_MS = 500
const MANY_WAITS = 1_000

/** What the figures of all workers say is to be done; empty when nothing is. */
export function adviceOn(provider: 'sqlite' | 'postgresql', workers: readonly WorkerContention[]): string[] {
  const refused = workers.reduce((sum, { refused: byReason }) => {
    return sum + Object.values(byReason).reduce((one, count) => one + count, 0)
  }, 0)
  const waits = workers.reduce((sum, worker) => sum + worker.waits.count, 0)
  const slowest = Math.max(0, ...workers.map((worker) => worker.waits.p99Ms))
  const longest = Math.max(0, ...workers.flatMap(({ longestHolds }) => longestHolds.map(({ heldMs }) => heldMs)))
  const waited = workers.reduce((sum, { outsideMs }) => sum + outsideMs, 0)
  const isSlow = slowest >= SLOW_P99_MS
  const advice: string[] = []
  if (longest >= LONG_HOLD_MS) {
    advice.push(`A transaction kept the others waiting for ${longest} ms: make it shorter, before anything else.`)
  }
  if (isSlow && waited > LONG_HOLD_MS) {
    advice.push(`Writes waited ${waited} ms for programs outside the server (a shell, a backup, a script).`)
  }
  const isContended = refused > 0 || (isSlow && waits >= MANY_WAITS)
  if (provider === 'sqlite' && isContended && advice.length === 0) {
    advice.push(
      `Of every hundred writes one waits ${slowest} ms or longer, and ${refused} were refused: the one writer that SQLite ` +
        'has is at its limit. PostgreSQL is due ("gator transfer").',
    )
  }
  if (provider === 'postgresql' && isContended && advice.length === 0) {
    advice.push(`Writes wait for connections, and ${refused} were refused: raise DATABASE_POOL_SIZE.`)
  }
  return advice
}
