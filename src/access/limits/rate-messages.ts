import type { RateVerdict } from './rate-windows.js'

/** A worker's requests of one turn of its event loop: whose they are. */
export interface RateAsk {
  readonly gator: 'rate-ask'
  readonly id: number
  readonly clients: readonly string[]
}

/** What the primary says to each of them. */
export interface RateAnswer {
  readonly gator: 'rate-answer'
  readonly id: number
  readonly verdicts: readonly RateVerdict[]
}

export function isRateAsk(message: unknown): message is RateAsk {
  return kindOf(message) === 'rate-ask'
}

export function isRateAnswer(message: unknown): message is RateAnswer {
  return kindOf(message) === 'rate-answer'
}

// Other messages travel on the same channel.
function kindOf(message: unknown): unknown {
  return typeof message === 'object' && message !== null && 'gator' in message ? message.gator : undefined
}
