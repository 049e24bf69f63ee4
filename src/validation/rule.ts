/** A broken rule: a JSON pointer (RFC 6901) relative to the value, and a sentence that a person understands. */
export interface Fault {
  readonly pointer: string
  readonly detail: string
}

/** Tells every fault of a value; none for a good one. */
export type Rule = (value: unknown) => readonly Fault[]

/** Moves faults below a pointer. */
export function at(pointer: string, faults: readonly Fault[]): Fault[] {
  return faults.map((found) => ({ pointer: pointer + found.pointer, detail: found.detail }))
}

/** Escapes a key for a JSON pointer (RFC 6901, section 3). */
export function pointerToken(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}

export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The sentence of a problem document: the first fault, and how many more there are. */
export function describeFaults(faults: readonly Fault[]): string {
  const [first] = faults
  if (!first) return 'The request is not valid.'
  const subject = first.pointer === '' ? 'The body' : first.pointer.slice(1).replaceAll('/', '.')
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : ''
  return `${subject} ${first.detail}${more}.`
}
