import { setTimeout as delay } from 'node:timers/promises'
import type { Connection } from '../processes/connection.js'
import { until } from '../processes/until.js'
import type { Ledger, Outcome } from './ledger.js'

export interface LoadOptions {
  readonly ledger: Ledger
  readonly writers: number
  readonly connect: () => Connection
  /** Goes into the names, which no two writes may share. */
  readonly name: string
  /** After so long without an answer a writer gives up, and its write's outcome is unknown. */
  readonly timeoutMs?: number
  /** Each client rests so long after a write; not at all by default. */
  readonly restMs?: number
  /** Whether each client makes one persona, and counts after that. */
  readonly isOnlyCounting?: boolean
}

const RECONNECT_MS = 10
/** So many outcomes tell what a stall looked like. */
const HISTORY = 100

/**
 * Clients that write again and again, half of the writes new personas and half of them counts of one that each client
 * has made. Whoever loses its connection opens another one.
 */
export class Load {
  readonly outcomes: Outcome[] = []
  readonly #options: LoadOptions
  readonly #writers: Promise<void>[]
  #isOver = false

  constructor(options: LoadOptions) {
    this.#options = options
    this.#writers = Array.from({ length: options.writers }, (_value, index) => this.#write(index))
  }

  get acknowledged(): number {
    return this.outcomes.reduce((sum, { fate }) => sum + Number(fate === 'acknowledged'), 0)
  }

  /**
   * Waits until so many more writes have been acknowledged.
   * @throws Error with what became of the last writes when they are not
   */
  async progress(writes: number): Promise<void> {
    const asked = performance.now()
    const before = this.acknowledged
    const arrived = () => this.acknowledged >= before + writes
    await until(`${writes} more writes are acknowledged`, arrived).catch((error: Error) => {
      throw new Error(`${error.message} (but ${this.acknowledged - before})\n${this.#history(asked)}`)
    })
  }

  /** Resolves when the last answer has come. */
  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#writers)
  }

  /** The last outcomes, a line each: when after `since`, in ms, what came of it, and the status of the answer. */
  #history(since: number): string {
    const line = ({ at, fate, answer }: Outcome) => `${(at - since).toFixed(0)} ms: ${fate} ${answer?.status ?? '-'}`
    return this.outcomes.slice(-HISTORY).map(line).join('\n')
  }

  async #write(writer: number): Promise<void> {
    const { ledger, connect, name, timeoutMs, restMs, isOnlyCounting } = this.#options
    let connection = connect()
    let counted: string | undefined
    for (let n = 0; !this.#isOver; n++) {
      if (restMs !== undefined) await delay(restMs)
      const outcome =
        counted !== undefined && (isOnlyCounting || n % 2 === 1)
          ? await ledger.count(connection, counted, timeoutMs)
          : await ledger.create(connection, `${name}-${writer}-${n}`, timeoutMs)
      this.outcomes.push(outcome)
      if (outcome.fate === 'acknowledged') counted ??= outcome.answer?.body.id
      if (outcome.fate !== 'unknown') continue
      connection.close()
      // Nobody may listen at the moment; to ask again without a break would take the processor from whoever starts.
      await delay(RECONNECT_MS)
      connection = connect()
    }
    connection.close()
  }
}
