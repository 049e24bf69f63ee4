import { type Fault, pointerToken } from './rule.js'

/** Deepest level that is looked into; the rules refuse documents that are nested deeper. */
const MAX_DEPTH = 64
/** A hostile document can have as many faults as values; a person needs to see a few. */
const MAX_FAULTS = 100

interface Node {
  readonly value: unknown
  readonly pointer: string
  readonly depth: number
}

/**
 * The faults of a parsed JSON document that no field's rule looks for, because what would be stored is not what was
 * sent: NUL (PostgreSQL refuses it), lone surrogates (they have no UTF-8 form), numbers beyond a double's range (they
 * become null), whole numbers that a double need not hold exactly (RFC 7493, section 2.2) and `__proto__` keys (many a
 * JavaScript client drops them or worse).
 */
export function structureFaults(document: unknown): Fault[] {
  const faults: Fault[] = []
  const stack: Node[] = [{ value: document, pointer: '', depth: 0 }]
  for (let node = stack.pop(); node !== undefined && faults.length < MAX_FAULTS; node = stack.pop()) {
    const detail = faultOf(node.value)
    if (detail !== null) faults.push({ pointer: node.pointer, detail })
    if (typeof node.value === 'object' && node.value !== null && node.depth < MAX_DEPTH) {
      pushChildren(node as Node & { value: object }, stack, faults)
    }
  }
  return faults
}

function pushChildren(node: Node & { value: object }, stack: Node[], faults: Fault[]): void {
  for (const [key, value] of Object.entries(node.value).reverse()) {
    if (faults.length >= MAX_FAULTS) return
    const pointer = `${node.pointer}/${pointerToken(key)}`
    if (key === '__proto__') faults.push({ pointer, detail: 'must not be called __proto__' })
    const detail = textFault(key)
    if (detail !== null) faults.push({ pointer: node.pointer, detail: `has a key that ${detail}` })
    stack.push({ value, pointer, depth: node.depth + 1 })
  }
}

function faultOf(value: unknown): string | null {
  if (typeof value === 'string') return textFault(value)
  return typeof value === 'number' ? numberFault(value) : null
}

function numberFault(value: number): string | null {
  if (!Number.isFinite(value)) return 'is a number beyond the range of a double'
  const isExact = !Number.isInteger(value) || Number.isSafeInteger(value)
  return isExact
    ? null
    : `is a whole number beyond ±${Number.MAX_SAFE_INTEGER}, which is not kept exactly: send a string`
}

function textFault(text: string): string | null {
  if (text.includes('\0')) return 'must not contain NUL characters'
  return text.isWellFormed() ? null : 'must not contain lone surrogates'
}
