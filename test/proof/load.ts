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
}

const RECONNECT_MS = 10

/**
 * Clients that write without a pause, half of the writes new personas and half of them counts of one that each client
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

  /** Waits until so many more writes have been acknowledged. */
  async progress(writes: number): Promise<void> {
    const enough = this.acknowledged + writes
    await until(`${writes} more writes are acknowledged`, () => this.acknowledged >= enough)
  }

  /** Resolves when the last answer has come. */
  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#writers)
  }

  async #write(writer: number): Promise<void> {
    const { ledger, connect, name, timeoutMs } = this.#options
    let connection = connect()
    let counted: string | undefined
    for (let n = 0; !this.#isOver; n++) {
      const outcome =
        counted !== undefined && n % 2 === 1
          ? await ledger.count(connection, counted, timeoutMs)
          : await ledger.create(connection, `${name}-${writer}-${n}`, timeoutMs)
      this.outcomes.push(outcome)
      if (outcome.fate === 'acknowledged') counted ??= outcome.answer?.body.id
      if (outcome.fate !== 'unknown') continue
      connection.close()
      // Nobody may listen at the moment; to ask again without a break would take the processor from whoever starts.
      await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS))
      connection = connect()
    }
    connection.close()
  }
}
