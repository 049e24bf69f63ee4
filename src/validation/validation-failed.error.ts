import type { Fault } from './rule.js'

/** The request breaks rules: every fault at once, with pointers from the root of the document. */
export class ValidationFailedError extends Error {
  override readonly name = 'ValidationFailedError'
  constructor(readonly faults: readonly Fault[]) {
    super(describe(faults))
  }
}

function describe(faults: readonly Fault[]): string {
  const [first] = faults
  if (!first) return 'The request is not valid.'
  const subject = first.pointer === '' ? 'The body' : first.pointer.slice(1).replaceAll('/', '.')
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : ''
  return `${subject} ${first.detail}${more}.`
}
