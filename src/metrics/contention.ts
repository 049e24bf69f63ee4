import type { DatabaseGauges } from '../database/database-watch.js'
import {
  type DatabaseObserver,
  type EndedTransaction,
  REFUSAL_REASONS,
  type RefusalReason,
  type TransactionKind,
} from '../database/observer.js'
import type { PostgresqlObserver } from '../database/postgresql/observer.js'
import type { SqliteObserver } from '../database/sqlite/observer.js'

/** One hold of the write lock (on PostgreSQL: of a connection that writes). */
export interface Hold {
  /** When it ended, as an ISO 8601 time. */
  readonly at: string
  readonly kind: TransactionKind
  readonly outcome: string
  readonly heldMs: number
}

/** What one worker knows of waiting and of making others wait, since it started. Milliseconds throughout. */
export interface WorkerContention {
  readonly worker: number
  readonly since: string
  /** Writes that wait for their turn now. */
  readonly waiting: number
  /** How long the worker has held the write lock now; null when it does not, and on PostgreSQL. */
  readonly heldMs: number | null
  /** Of the last {@link WAITS_KEPT} waits, but for the count, which is of all. */
  readonly waits: {
    readonly count: number
    readonly p50Ms: number
    readonly p95Ms: number
    readonly p99Ms: number
    readonly maxMs: number
  }
  readonly refused: Readonly<Record<RefusalReason, number>>
  /** How often SQLite said that somebody else had the lock. */
  readonly busy: number
  /** How much of all waiting was for somebody who takes no part in the queue of the workers. */
  readonly outsideMs: number
  /** The longest of the last hour, the longest first. */
  readonly longestHolds: readonly Hold[]
}

export const WAITS_KEPT = 1_024
const HOLDS_KEPT = 10
const HOLD_REMEMBERED_MS = 3_600_000

interface TimedHold extends Omit<Hold, 'at'> {
  readonly endedAt: number
}

/** Remembers, in bounded memory, how a process' writes waited and what made others wait. */
export class ContentionRecorder {
  readonly #since = new Date()
  readonly #waits = new Float64Array(WAITS_KEPT)
  readonly #refused = Object.fromEntries(REFUSAL_REASONS.map((reason) => [reason, 0])) as Record<RefusalReason, number>
  #holds: TimedHold[] = []
  #count = 0
  #busy = 0
  #outsideMs = 0
  #heldSince: number | null = null
  #waiting: () => number = () => 0

  constructor(private readonly worker: number) {}

  sqlite(): SqliteObserver {
    return {
      ...this.#common(),
      onLockAcquired: ({ waitedMs, lockMs }) => {
        this.#heldSince = performance.now()
        this.#outsideMs += lockMs
        this.#waited(waitedMs)
      },
      onBusy: () => (this.#busy += 1),
    }
  }

  postgresql(): PostgresqlObserver {
    return { ...this.#common(), onTurn: ({ waitedMs }) => this.#waited(waitedMs) }
  }

  watch({ waitingWrites }: Pick<DatabaseGauges, 'waitingWrites'>): void {
    this.#waiting = waitingWrites
  }

  summary(): WorkerContention {
    const waits = this.#waits.slice(0, Math.min(this.#count, WAITS_KEPT)).sort()
    const quantile = (share: number) => rounded(waits[Math.ceil(share * waits.length) - 1] ?? 0)
    return {
      worker: this.worker,
      since: this.#since.toISOString(),
      waiting: this.#waiting(),
      heldMs: this.#heldSince === null ? null : rounded(performance.now() - this.#heldSince),
      waits: {
        count: this.#count,
        ...{ p50Ms: quantile(0.5), p95Ms: quantile(0.95), p99Ms: quantile(0.99), maxMs: quantile(1) },
      },
      refused: { ...this.#refused },
      busy: this.#busy,
      outsideMs: rounded(this.#outsideMs),
      longestHolds: this.#recentHolds().map(({ endedAt, heldMs, ...hold }) => ({
        at: new Date(endedAt).toISOString(),
        ...hold,
        heldMs: rounded(heldMs),
      })),
    }
  }

  #common(): DatabaseObserver {
    return {
      onRefused: ({ reason, waitedMs, lockMs = 0 }) => {
        this.#refused[reason] += 1
        this.#outsideMs += lockMs
        if (reason === 'lock-timeout') this.#waited(waitedMs)
      },
      onTransactionEnd: (event) => this.#ended(event),
    }
  }

  #waited(ms: number): void {
    this.#waits[this.#count % WAITS_KEPT] = ms
    this.#count += 1
  }

  #ended({ kind, outcome, heldMs }: EndedTransaction): void {
    this.#heldSince = null
    const shortest = this.#holds[HOLDS_KEPT - 1]
    if (shortest && heldMs <= shortest.heldMs && shortest.endedAt > Date.now() - HOLD_REMEMBERED_MS) return
    const holds = [...this.#recentHolds(), { kind, outcome, heldMs, endedAt: Date.now() }]
    this.#holds = holds.sort((one, other) => other.heldMs - one.heldMs).slice(0, HOLDS_KEPT)
  }

  #recentHolds(): TimedHold[] {
    const oldest = Date.now() - HOLD_REMEMBERED_MS
    return this.#holds.filter(({ endedAt }) => endedAt >= oldest)
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
