import { Buffer } from 'node:buffer'
import { problemAnswerOf } from '../../http/problem-table.js'
import { at } from '../../validation/rule.js'
import { PersonaRuleError } from '../persona.errors.js'
import type { PersonaService } from '../persona.service.js'
import type { Writer } from '../writer.js'
import { BatchOperationError, BatchTooLargeError } from './batch.errors.js'
import type { BatchMode } from './batch.dto.js'
import type { BatchResource, OperationResult } from './batch.resource.js'

/** What all operations of a batch have in common. */
export interface BatchContext {
  readonly writer: Writer
  /** Whether a change without `if_match` is refused. */
  readonly requiresIfMatch: boolean
}

/** Carries one operation out. What refuses it, it throws; a refusal leaves nothing of it behind. */
export type Operation = (personas: PersonaService, context: BatchContext) => Promise<OperationResult>

export interface Batch {
  readonly mode: BatchMode
  readonly operations: readonly Operation[]
  /** As it was sent. */
  readonly document: object
}

const FIRST_SERVER_ERROR = 500
/**
 * The most that the results of a batch may have as JSON: what they hold is read, merged and written under the write lock, for
 * half a second or so up to here (docs/idempotency.md). A hundred personas of usual size have 100 KB.
 */
export const MOST_RESULT_BYTES = 2_097_152

/**
 * Carries the operations out in their order, each upon what those before it have left. A failure of the database or of
 * ours ends the whole batch in either mode: it belongs to the transaction.
 * @param personas in the transaction that all of it is to be committed with
 * @throws BatchOperationError in atomic mode; in either when the results have become too large
 */
export async function runBatch(
  personas: PersonaService,
  { mode, operations }: Batch,
  context: BatchContext,
): Promise<BatchResource> {
  const results: OperationResult[] = []
  let bytes = 0
  for (const [index, operation] of operations.entries()) {
    const result = await operation(personas, context).catch((error: unknown) => {
      const refused = refusalOf(error)
      if (!refused) throw error
      if (mode === 'atomic') throw new BatchOperationError(index, rooted(error as Error, index))
      return refused
    })
    bytes += Buffer.byteLength(JSON.stringify(result))
    if (bytes > MOST_RESULT_BYTES) throw new BatchOperationError(index, new BatchTooLargeError(MOST_RESULT_BYTES))
    results.push(result)
  }
  return { results }
}

/** Where the body of an operation stands in a batch. */
export function bodyPointer(index: number): string {
  return `/operations/${index}/body`
}

/** What an operation is answered with whose refusal is the client's to mend; undefined for any other failure. */
function refusalOf(error: unknown): OperationResult | undefined {
  const { problem, headers } = problemAnswerOf(error)
  if (problem.status >= FIRST_SERVER_ERROR) return undefined
  const { etag } = headers
  return { status: problem.status, ...(etag !== undefined && { etag }), problem }
}

function rooted(error: Error, index: number): Error {
  return error instanceof PersonaRuleError ? new PersonaRuleError(at(bodyPointer(index), error.faults)) : error
}
