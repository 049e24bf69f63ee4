import { randomUUID } from 'node:crypto'

/** Who makes a change, for its revision. Nothing of it is verified: a key says who may write, and not for whom it does. */
export interface Writer {
  /** What the client calls itself. */
  readonly actor: string | null
  readonly requestId: string | null
  /** The slot of the worker that writes; null when there is only one process. */
  readonly worker: number | null
}

/**
 * What the trigger of the history reads of a row, as its column has it. It is another one for every write: what a write past
 * the service leaves in the row is thereby known to be an older one's.
 */
export function writeContextOf({ actor, requestId, worker }: Writer): string {
  return JSON.stringify({ write: randomUUID(), actor, request_id: requestId, worker })
}
