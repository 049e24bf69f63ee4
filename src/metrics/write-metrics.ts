import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { DatabaseGauges } from '../database/database-watch.js'
import { CONNECTION_ROLES, type DatabaseObserver, REFUSAL_REASONS, TRANSACTION_KINDS } from '../database/observer.js'

/** From an uncontended lock to the longest busy timeout that is of use. */
export const WAIT_BUCKETS_SECONDS = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30]
export const MS_PER_SECOND = 1_000

/** What one process' writes are like, on either database. */
export class WriteMetrics {
  readonly #refused: Counter<'reason'>
  readonly #transactions: Counter<'kind' | 'outcome'>
  readonly #held: Histogram<'kind'>
  readonly #slow: Counter<'role'> | undefined

  /**
   * @param outcomes that a transaction of this database may have
   * @param slowStatementMs from which duration on a statement is counted as slow; 0 for none
   */
  constructor(
    private readonly registry: Registry,
    private readonly worker: string,
    outcomes: readonly string[],
    private readonly slowStatementMs: number,
  ) {
    const registers = [registry]
    this.#refused = new Counter({
      name: 'gator_writes_refused_total',
      help: 'Writes that were refused with nothing written, by reason.',
      labelNames: ['reason'],
      registers,
    })
    this.#transactions = new Counter({
      name: 'gator_transactions_total',
      help: 'Write transactions by kind and outcome.',
      labelNames: ['kind', 'outcome'],
      registers,
    })
    this.#held = new Histogram({
      name: 'gator_transaction_duration_seconds',
      help: 'How long a write transaction was open and others waited for it, by kind.',
      labelNames: ['kind'],
      buckets: WAIT_BUCKETS_SECONDS,
      registers,
    })
    if (slowStatementMs > 0) {
      this.#slow = new Counter({
        name: 'gator_slow_statements_total',
        help: 'SQL statements that ran longer than LOG_SLOW_STATEMENT_MS, by role of the connection.',
        labelNames: ['role'],
        registers,
      })
      for (const role of CONNECTION_ROLES) this.#slow.inc({ role }, 0)
    }
    // A series that appears with its first event has no rate, and raises no alarm.
    for (const reason of REFUSAL_REASONS) this.#refused.inc({ reason }, 0)
    for (const kind of TRANSACTION_KINDS) {
      this.#held.zero({ kind })
      for (const outcome of outcomes) this.#transactions.inc({ kind, outcome }, 0)
    }
  }

  get observer(): DatabaseObserver {
    return {
      onRefused: ({ reason }) => this.#refused.inc({ reason }),
      onTransactionEnd: ({ kind, outcome, heldMs }) => {
        this.#transactions.inc({ kind, outcome })
        this.#held.observe({ kind }, heldMs / MS_PER_SECOND)
      },
      ...(this.#slow && {
        onStatement: ({ role, durationMs }) => {
          if (durationMs > this.slowStatementMs) this.#slow?.inc({ role })
        },
      }),
    }
  }

  /** Shows how many writes wait. */
  watch({ waitingWrites }: Pick<DatabaseGauges, 'waitingWrites'>): void {
    const { worker } = this
    new Gauge({
      name: 'gator_write_queue_depth',
      help: 'Writes of a worker that wait for their turn.',
      labelNames: ['worker'],
      aggregator: 'max',
      registers: [this.registry],
      collect() {
        this.set({ worker }, waitingWrites())
      },
    })
  }
}
