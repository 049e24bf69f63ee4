import { describeFaults, type Fault } from './rule.js'

/** A hostile body has a fault in every few bytes, and the answer must not be many times as large as the request. */
const MAX_FAULTS = 1_000

/** The request breaks rules: every fault at once (the first thousand), with pointers from the root of the document. */
export class ValidationFailedError extends Error {
  override readonly name = 'ValidationFailedError'
  readonly faults: readonly Fault[]

  constructor(faults: readonly Fault[]) {
    super(describeFaults(faults))
    this.faults = faults.slice(0, MAX_FAULTS)
  }
}
