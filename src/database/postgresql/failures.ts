import {
  DATABASE_MOVED_CODE,
  DatabaseAwayError,
  DatabaseMovedError,
  DatabaseUnavailableError,
  StorageFullError,
  WriteLockTimeoutError,
  WriteOutcomeUnknownError,
} from '../database-errors.js'
import { readPrismaFailure } from '../prisma-error.js'

/** No connection could be had: the statement was never sent. */
export class ConnectFailedError extends Error {
  override readonly name = 'ConnectFailedError'

  constructor(cause: unknown) {
    super('No connection to the database could be had.', { cause })
  }
}

/** The connection was lost under a statement: the server's answer is not known. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError'

  constructor(
    cause: unknown,
    /** Whether the statement was one that takes effect by itself, or the COMMIT. */
    readonly mayHaveCommitted: boolean,
    /** Whether the server fell silent, so that to ask again is to wait again. */
    readonly wasSilent: boolean,
  ) {
    super('The connection to the database was lost before the answer.', { cause })
  }
}

/** SQLSTATE codes (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const LOCK_NOT_AVAILABLE = '55P03'
const DISK_FULL = '53100'
const READ_ONLY_TRANSACTION = '25006'
const SERIALIZATION_FAILURE = '40001'
const DEADLOCK_DETECTED = '40P01'
/** Prisma's own code for the two before. */
const WRITE_CONFLICT = 'P2034'
// Classes 25 (transaction state), 40 (rolled back), 53 (resources), 57 (cancelled).
const UNAVAILABLE = /^(25|40|53|57)/
// The server's last words to a session: of a connection (08), of a shutdown (57P), of its own time limits (25P03, 25P04);
// and the code for a statement of which it does not know itself what became of it. By code: the words are translated.
const LAST_WORDS = /^(08...|57P..|25P03|25P04|40003)$/
// P2028: Prisma's limits of a transaction; the others are about connections.
const UNAVAILABLE_PRISMA = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028', WRITE_CONFLICT, 'P2037'])

/** Whether the server has rolled a statement or a transaction back because of others: it may be made again. */
export function isConflict(error: unknown): boolean {
  const { prismaCode, driverCode } = readPrismaFailure(error)
  return driverCode === SERIALIZATION_FAILURE || driverCode === DEADLOCK_DETECTED || prismaCode === WRITE_CONFLICT
}

/** Whether a connection broke in a way that a new one may not. */
export function isStaleConnection(error: unknown): boolean {
  return error instanceof ConnectionLostError && !error.wasSilent
}

/**
 * What an error of a statement says of its connection: null when that is as good as before.
 * @param mayHaveCommitted see {@link ConnectionLostError}
 */
export function lossOf(error: unknown, mayHaveCommitted: boolean): ConnectionLostError | null {
  const { code, severity } = error as { code?: unknown; severity?: unknown }
  // The server's own word is an outcome; unless it is its last: it may end a session that waits for a replica's receipt
  // of what is committed already.
  const isAnswer = severity !== undefined && typeof code === 'string' && !LAST_WORDS.test(code)
  if (isAnswer) return null
  const wasSilent = code === undefined && error instanceof Error && SILENCE.test(error.message)
  return new ConnectionLostError(error, mayHaveCommitted, wasSilent)
}

// The driver's own words for an answer that did not come, and for a connection that was given up because of it.
const SILENCE = /^(Query read timeout|Connection terminated)$/
// The pool's, for a connection that none of its users gave back in time.
const POOL_BUSY = 'timeout exceeded when trying to connect'

/** Whether the server cannot be written to: a replica, or a primary that has become one. */
export function isReadOnlyServer(error: unknown): boolean {
  return (error as { code?: unknown }).code === READ_ONLY_TRANSACTION
}

/** Turns an error of the driver or of Prisma into one of database-errors.ts, and leaves every other as it is. */
export function translate(error: unknown): unknown {
  if (error instanceof ConnectionLostError && error.mayHaveCommitted)
    return new WriteOutcomeUnknownError({ cause: error })
  if (error instanceof ConnectionLostError) return new DatabaseAwayError({ cause: error })
  if (error instanceof ConnectFailedError)
    return isBusy(error.cause) ? unavailable(error) : new DatabaseAwayError({ cause: error })
  const { prismaCode, driverCode } = readPrismaFailure(error)
  if (driverCode === DATABASE_MOVED_CODE) return new DatabaseMovedError({ cause: error })
  if (driverCode === LOCK_NOT_AVAILABLE) return new WriteLockTimeoutError({ cause: error })
  if (driverCode === DISK_FULL) return new StorageFullError({ cause: error })
  const isAway =
    (driverCode !== undefined && UNAVAILABLE.test(driverCode)) ||
    (prismaCode !== undefined && UNAVAILABLE_PRISMA.has(prismaCode))
  return isAway ? unavailable(error) : error
}

// Our own pool has no connection to give, or the server refuses one more: others may have theirs.
function isBusy(cause: unknown): boolean {
  return (cause as Error).message === POOL_BUSY || lossOf(cause, false) === null
}

function unavailable(cause: unknown): DatabaseUnavailableError {
  return new DatabaseUnavailableError('The database does not answer.', { cause })
}
