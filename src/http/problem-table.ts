import { NotOnThisDatabaseError } from '../admin/admin-errors.js'
import {
  CrossOriginError,
  HostNotAllowedError,
  LoopbackOnlyError,
  RateLimitedError,
  ScopeMissingError,
  UnauthenticatedError,
  UndeclaredRouteError,
} from '../access/access.errors.js'
import { BackupBusyError, BackupError, BackupNotFoundError } from '../backup/backup-errors.js'
import { HttpException } from '@nestjs/common'
import {
  DatabaseMovedError,
  DatabaseUnavailableError,
  StorageFullError,
  WriteLockTimeoutError,
  WriteOutcomeUnknownError,
  WriteQueueFullError,
} from '../database/database-errors.js'
import {
  IdempotencyKeyInUseError,
  IdempotencyKeyReusedError,
  MalformedIdempotencyKeyError,
} from '../idempotency/idempotency.errors.js'
import { PrimarySilentError } from '../metrics/gatherer.js'
import { etagOf } from '../personas/persona.etag.js'
import {
  BlindWriteError,
  PersonaNotFoundError,
  PersonaRuleError,
  RevisionNotFoundError,
  StaleVersionError,
} from '../personas/persona.errors.js'
import { WIRE_NAMES } from '../personas/persona.mapper.js'
import { BatchOperationError, BatchTooLargeError } from '../personas/batch/batch.errors.js'
import { TooManyListenersError } from '../personas/changes/change.errors.js'
import { ValidationFailedError } from '../validation/validation-failed.error.js'
import { MalformedBodyError } from './json-body.js'
import { MethodNotAllowedError } from './method-not-allowed.error.js'
import { plainProblem, type Problem, type ProblemAnswer, problemOf } from './problem.js'

interface Row<E extends Error = Error> {
  readonly error: abstract new (...args: never[]) => E
  readonly type: string
  readonly title: string
  readonly status: number
  /** What the document says beyond what every one of them says. */
  readonly details?: (error: E) => Partial<Problem>
  readonly headers?: (error: E) => Record<string, string>
}

const row = <E extends Error>(entry: Row<E>): Row => entry as unknown as Row
const retryAfter = (error: { readonly retryAfterSeconds: number }) => ({
  'retry-after': String(error.retryAfterSeconds),
})
const challenge = (error: UnauthenticatedError | ScopeMissingError) => ({ 'www-authenticate': error.challenge })

/** Every error that a client may see, and what it sees. The first row that fits counts. */
const TABLE: readonly Row[] = [
  row({ error: MalformedBodyError, type: 'malformed-body', title: 'Malformed body', status: 400 }),
  row({
    error: ValidationFailedError,
    type: 'validation-failed',
    title: 'Validation failed',
    status: 422,
    details: (error: ValidationFailedError) => ({ errors: error.faults }),
  }),
  row({
    error: PersonaRuleError,
    type: 'validation-failed',
    title: 'Validation failed',
    status: 422,
    details: (error: PersonaRuleError) => ({ errors: error.faults }),
  }),
  row({ error: PersonaNotFoundError, type: 'persona-not-found', title: 'Persona not found', status: 404 }),
  row({ error: BatchTooLargeError, type: 'batch-too-large', title: 'Batch too large', status: 413 }),
  row({ error: RevisionNotFoundError, type: 'revision-not-found', title: 'Revision not found', status: 404 }),
  row({ error: BlindWriteError, type: 'precondition-required', title: 'Precondition required', status: 428 }),
  row({
    error: MethodNotAllowedError,
    type: 'method-not-allowed',
    title: 'Method not allowed',
    status: 405,
    headers: (error: MethodNotAllowedError) => ({ allow: error.allow }),
  }),
  row({
    error: StaleVersionError,
    type: 'stale-version',
    title: 'Stale version',
    status: 412,
    headers: (error: StaleVersionError) => ({ etag: etagOf(error.current) }),
    details: staleDetails,
  }),
  row({
    error: MalformedIdempotencyKeyError,
    type: 'malformed-idempotency-key',
    title: 'Malformed idempotency key',
    status: 400,
  }),
  row({
    error: IdempotencyKeyReusedError,
    type: 'idempotency-key-reused',
    title: 'Idempotency key reused',
    status: 422,
  }),
  row({
    error: IdempotencyKeyInUseError,
    type: 'idempotency-key-in-use',
    title: 'Idempotency key in use',
    status: 409,
    headers: retryAfter,
  }),
  row({
    error: WriteLockTimeoutError,
    type: 'write-lock-timeout',
    title: 'Write lock timeout',
    status: 503,
    headers: retryAfter,
  }),
  row({
    error: WriteQueueFullError,
    type: 'write-queue-full',
    title: 'Write queue full',
    status: 503,
    headers: retryAfter,
  }),
  row({
    error: DatabaseMovedError,
    type: 'database-moved',
    title: 'Database moved',
    status: 503,
    headers: retryAfter,
  }),
  row({
    error: DatabaseUnavailableError,
    type: 'database-unavailable',
    title: 'Database unavailable',
    status: 503,
    headers: retryAfter,
  }),
  row({
    error: WriteOutcomeUnknownError,
    type: 'write-outcome-unknown',
    title: 'Write outcome unknown',
    status: 503,
    headers: retryAfter,
  }),
  row({
    error: PrimarySilentError,
    type: 'primary-silent',
    title: 'Primary silent',
    status: 503,
    headers: () => ({ 'retry-after': '1' }),
  }),
  row({
    error: TooManyListenersError,
    type: 'too-many-listeners',
    title: 'Too many listeners',
    status: 503,
    headers: retryAfter,
  }),
  row({
    error: UnauthenticatedError,
    type: 'unauthenticated',
    title: 'Unauthenticated',
    status: 401,
    headers: challenge,
  }),
  row({
    error: ScopeMissingError,
    type: 'scope-missing',
    title: 'Scope missing',
    status: 403,
    headers: challenge,
    details: (error: ScopeMissingError) => ({ missing_scope: error.missingScope }),
  }),
  row({ error: RateLimitedError, type: 'rate-limited', title: 'Rate limited', status: 429, headers: retryAfter }),
  row({ error: HostNotAllowedError, type: 'host-not-allowed', title: 'Misdirected request', status: 421 }),
  row({ error: CrossOriginError, type: 'cross-origin', title: 'Cross-origin request', status: 403 }),
  row({ error: UndeclaredRouteError, type: 'undeclared-route', title: 'Undeclared route', status: 403 }),
  row({ error: LoopbackOnlyError, type: 'loopback-only', title: 'Loopback only', status: 403 }),
  row({ error: NotOnThisDatabaseError, type: 'not-on-this-database', title: 'Not on this database', status: 409 }),
  row({ error: BackupNotFoundError, type: 'backup-not-found', title: 'Backup not found', status: 404 }),
  row({ error: BackupBusyError, type: 'backup-busy', title: 'A backup is being made', status: 409 }),
  row({ error: BackupError, type: 'backup-failed', title: 'Backup failed', status: 500 }),
  row({ error: StorageFullError, type: 'storage-full', title: 'Insufficient storage', status: 507 }),
]

const INTERNAL_DETAIL = 'Something went wrong on our side. The log has the details under the id of this request.'
const INTERNAL_ERROR = 500

/** What a client sees of an error. An unforeseen one tells nothing of its inside. */
export function problemAnswerOf(error: unknown): ProblemAnswer {
  if (error instanceof BatchOperationError) {
    // The headers of the refusal (an ETag) are about one persona, and the answer is not.
    const { problem } = problemAnswerOf(error.cause)
    return { problem: { ...problem, detail: error.message, index: error.index }, headers: {} }
  }
  for (const entry of TABLE) {
    if (!(error instanceof entry.error)) continue
    const problem = problemOf(entry.type, entry.title, entry.status, error.message)
    return { problem: { ...problem, ...entry.details?.(error) }, headers: entry.headers?.(error) ?? {} }
  }
  const status = statusOf(error)
  const detail = status < INTERNAL_ERROR && error instanceof Error ? error.message : INTERNAL_DETAIL
  return { problem: plainProblem(status, detail), headers: {} }
}

function staleDetails({ current, conflicts }: StaleVersionError): Partial<Problem> {
  return {
    current_etag: etagOf(current),
    conflicts: conflicts.map(({ field, ...values }) => ({ pointer: `/${WIRE_NAMES[field]}`, ...values })),
  }
}

// Nest's and Fastify's own errors carry their status; theirs below 500 (too large, wrong media type) are the client's.
function statusOf(error: unknown): number {
  const status = error instanceof HttpException ? error.getStatus() : fastifyStatus(error)
  return status !== undefined && status >= 400 && status < INTERNAL_ERROR ? status : INTERNAL_ERROR
}

function fastifyStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error) || !('code' in error)) return undefined
  const isFastifys = typeof error.code === 'string' && error.code.startsWith('FST_')
  return isFastifys && typeof error.statusCode === 'number' ? error.statusCode : undefined
}
