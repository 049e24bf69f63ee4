import type { Fault } from './rule.js'

/** A hostile body has a fault in every few bytes, and the answer must not be many times as large as the request. */
const MAX_FAULTS = 1_000

/** The request breaks rules: every fault at once (the first thousand), with pointers from the root of the document. */
export class ValidationFailedError extends Error {
  override readonly name = 'ValidationFailedError'
  readonly faults: readonly Fault[]

  constructor(faults: readonly Fault[]) {
    super(describe(faults))
    this.faults = faults.slice(0, MAX_FAULTS)
  }
}

function describe(faults: readonly Fault[]): string {
  const [first] = faults
  if (!first) return 'The request is not valid.'
  const subject = first.pointer === '' ? 'The body' : first.pointer.slice(1).replaceAll('/', '.')
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : ''
  return `${subject} ${first.detail}${more}.`
}
