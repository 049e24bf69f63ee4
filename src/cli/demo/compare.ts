import { isDeepStrictEqual } from 'node:util'
import type { DemoAnswer, PersonaJson } from './connection.js'

const FIRST_FAILURE = 300

/** An answer is not what it must be; the message says where. */
export class DifferenceError extends Error {
  override readonly name = 'DifferenceError'
}

/**
 * Holds an answer against what it must be, field by field.
 * @throws DifferenceError naming the step, the worker and every field that differs
 */
export function assertAnswer(step: string, answer: DemoAnswer, worker: number, expected: PersonaJson): void {
  const { status, body } = answer
  if (status >= FIRST_FAILURE)
    throw new DifferenceError(`${step}: worker ${worker} answered ${status} ${JSON.stringify(body)}`)
  const faults = differences(expected, body)
  if (answer.worker !== worker) faults.unshift(`answered by worker ${answer.worker}`)
  const etag = `"${String(expected['version'])}.${String(expected['generation_count'])}"`
  if (answer.etag !== etag) faults.push(`ETag is ${answer.etag}, expected ${etag}`)
  if (faults.length > 0) throw new DifferenceError(`${step}: worker ${worker} differs: ${faults.join('; ')}`)
}

/** Every field in which two personas differ, in words. */
export function differences(expected: PersonaJson, actual: PersonaJson): string[] {
  const fields = [...new Set([...Object.keys(expected), ...Object.keys(actual)])]
  return fields
    .filter((field) => !isDeepStrictEqual(expected[field], actual[field]))
    .map((field) => `${field} is ${JSON.stringify(actual[field])}, expected ${JSON.stringify(expected[field])}`)
}
