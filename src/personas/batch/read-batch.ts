import { announceIgnored, canBeAnnounced, readResource, unknownFault } from '../../http/read-resource.js'
import type { IncomingBody } from '../../http/resource-body.decorator.js'
import { at, type Fault, isJsonObject } from '../../validation/rule.js'
import { ValidationFailedError } from '../../validation/validation-failed.error.js'
import { depthExceeds, MAX_JSON_DEPTH } from '../persona.rules.js'
import { BatchOperationError } from './batch.errors.js'
import { BatchDto } from './batch.dto.js'
import { type Findings, readOperation } from './operations.js'
import { type Batch, bodyPointer, type Operation } from './run-batch.js'

/** The batch, its operations, an operation, its body. */
const MAX_DEPTH = MAX_JSON_DEPTH + 4

/** Findings, and where in the batch. */
type Placed = Findings & { readonly pointer: string }

/**
 * Reads a batch. What is wrong with the batch itself refuses it as a whole. A body that breaks a rule refuses its
 * operation alone, unless the batch is atomic: then the faults of all bodies are told at once.
 * @throws ValidationFailedError, BatchOperationError
 */
export function readBatch({ document, isLenient, reply }: IncomingBody): Batch {
  const { dto, contents, sent, ...batch } = readEnvelope(document, isLenient)
  const operations = contents.map(readOperation)
  const envelopes = operations.map(({ envelope }, index) => ({ ...envelope, pointer: `/operations/${index}` }))
  const bodies = operations.map(({ body }, index) => ({ ...body, pointer: bodyPointer(index) }))
  const ignored = [{ ...batch, pointer: '' }, ...envelopes, ...bodies].flatMap(({ pointer, unknown }) =>
    unknown.map((field) => `${pointer}/${field}`.slice(1)),
  )
  const faultsOf = faultReader(isLenient && canBeAnnounced(ignored))
  const rooted = (parts: readonly Placed[]) => parts.flatMap((part) => at(part.pointer, faultsOf(part)))
  const own = [...faultsOf(batch), ...rooted(envelopes)]
  if (own.length > 0) throw new ValidationFailedError(own)
  const mode = dto.mode ?? 'atomic'
  const firstFaulty = bodies.findIndex((body) => faultsOf(body).length > 0)
  if (mode === 'atomic' && firstFaulty >= 0) {
    throw new BatchOperationError(firstFaulty, new ValidationFailedError(rooted(bodies)))
  }
  if (isLenient) announceIgnored(reply, ignored)
  return { mode, document: sent, operations: operations.map(({ run, body }) => unlessFaulty(run, faultsOf(body))) }
}

function readEnvelope(document: unknown, isLenient: boolean) {
  if (!isJsonObject(document)) throw new ValidationFailedError([{ pointer: '', detail: 'must be a JSON object' }])
  // Nothing below may exhaust the stack, the fingerprint of the whole included.
  if (depthExceeds(document, MAX_DEPTH)) {
    throw new ValidationFailedError([{ pointer: '', detail: `must not be nested more than ${MAX_DEPTH} deep` }])
  }
  const contents = Array.isArray(document['operations']) ? (document['operations'] as unknown[]) : undefined
  // The operations are looked at one by one; here it only matters how many there are.
  const counted = contents ? { ...document, operations: contents.map(() => null) } : document
  const { dto, faults, unknown } = readResource(counted, BatchDto, {})
  if (faults.length > 0 || !contents) throw new ValidationFailedError(faultReader(isLenient)({ faults, unknown }))
  return { dto, faults, unknown, contents, sent: document }
}

function faultReader(isIgnoringUnknown: boolean): (findings: Findings) => readonly Fault[] {
  return ({ faults, unknown }) => (isIgnoringUnknown ? faults : [...faults, ...unknown.map(unknownFault)])
}

function unlessFaulty(run: Operation, faults: readonly Fault[]): Operation {
  return faults.length === 0 ? run : () => Promise.reject(new ValidationFailedError(faults))
}
