import { DriverAdapterError, type MappedError } from '@prisma/driver-adapter-utils'

/** Primary result codes (https://www.sqlite.org/rescode.html) that Prisma's error for "sqlite" carries. */
const PRIMARY_CODES: Readonly<Record<string, number>> = {
  SQLITE_ERROR: 1,
  SQLITE_PERM: 3,
  SQLITE_LOCKED: 6,
  SQLITE_NOMEM: 7,
  SQLITE_READONLY: 8,
  SQLITE_INTERRUPT: 9,
  SQLITE_IOERR: 10,
  SQLITE_CORRUPT: 11,
  SQLITE_FULL: 13,
  SQLITE_CANTOPEN: 14,
  SQLITE_PROTOCOL: 15,
  SQLITE_SCHEMA: 17,
  SQLITE_TOOBIG: 18,
  SQLITE_CONSTRAINT: 19,
  SQLITE_MISMATCH: 20,
  SQLITE_MISUSE: 21,
  SQLITE_NOTADB: 26,
}

/** The code of an error that the driver raised, such as `SQLITE_BUSY_SNAPSHOT`; undefined for any other error. */
export function sqliteCodeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' && error.code.startsWith('SQLITE_') ? error.code : undefined
}

/** Whether somebody else holds a lock: nothing has happened, the same call may be made again. */
export function isBusy(error: unknown): boolean {
  return sqliteCodeOf(error)?.startsWith('SQLITE_BUSY') ?? false
}

/** SQLite's own code for a lock that was waited for in vain. */
const LOCK_TIMEOUT = 'SQLITE_BUSY_TIMEOUT'

/** The engine's own code for a write that came when as many waited as may; SQLite has none for it. */
export const WRITE_QUEUE_FULL = 'WRITE_QUEUE_FULL'

/** The engine's own code for a transaction that has ended, whoever ended it. */
export const TRANSACTION_CLOSED = 'TRANSACTION_CLOSED'

/** The engine's own code for a COMMIT of which nobody can tell whether it took effect. */
export const COMMIT_OUTCOME_UNKNOWN = 'COMMIT_OUTCOME_UNKNOWN'

/** Whether a write was refused because it had waited as long as it may. */
export function isLockTimeout(error: unknown): boolean {
  return error instanceof DriverAdapterError && error.cause.originalCode === LOCK_TIMEOUT
}

/** What a caller gets who comes when as many writes wait as may. Nothing was written. */
export function writeQueueFull(limit: number): DriverAdapterError {
  return new DriverAdapterError({
    kind: 'SocketTimeout',
    originalCode: WRITE_QUEUE_FULL,
    originalMessage: `${limit} writes are waiting already`,
  })
}

/** What a caller gets who waited for the write lock as long as the busy timeout allows. Nothing was written. */
export function writeLockTimeout(waitedMs: number): DriverAdapterError {
  return new DriverAdapterError({
    kind: 'SocketTimeout',
    originalCode: LOCK_TIMEOUT,
    originalMessage: `busy_timeout: the write lock was not free within ${Math.round(waitedMs)} ms`,
  })
}

/** What a caller gets whose COMMIT failed, or may have gone to a file that others do not see. Never to be repeated. */
export function commitOutcomeUnknown(cause: unknown): DriverAdapterError {
  const why = `COMMIT may or may not have taken effect: ${String((cause as { message?: unknown }).message)}`
  const error = new DriverAdapterError({
    kind: 'sqlite',
    extendedCode: PRIMARY_CODES['SQLITE_IOERR'] ?? 1,
    message: why,
    originalCode: COMMIT_OUTCOME_UNKNOWN,
    originalMessage: why,
  })
  error.message = why
  return error
}

/** Whether an error is that of {@link commitOutcomeUnknown}. */
export function isOutcomeUnknown(error: unknown): boolean {
  return error instanceof DriverAdapterError && error.cause.originalCode === COMMIT_OUTCOME_UNKNOWN
}

/** SQLite's error for a disk that has no room, before SQLite meets it. */
export function diskFull(): Error {
  return Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' })
}

/** What a caller gets who uses a transaction that has ended, whoever ended it. */
export function transactionClosed(why: string): DriverAdapterError {
  const error = new DriverAdapterError({
    kind: 'TransactionAlreadyClosed',
    cause: why,
    originalCode: TRANSACTION_CLOSED,
    originalMessage: why,
  })
  // Prisma passes an error of COMMIT on as it is; by itself it says no more than its kind.
  error.message = why
  return error
}

/** What a caller gets whose statement the engine does not let through. */
export function statementRefused(why: string): DriverAdapterError {
  return new DriverAdapterError({ kind: 'InvalidInputValue', message: why, originalMessage: why })
}

/** Turns an error of the driver into Prisma's form; every other error is passed on as it is. */
export function toDriverAdapterError(error: unknown): unknown {
  const code = sqliteCodeOf(error)
  if (code === undefined) return error
  const message = String((error as { message?: unknown }).message)
  return new DriverAdapterError({ originalCode: code, originalMessage: message, ...mapped(code, message) })
}

function mapped(code: string, message: string): MappedError {
  if (code.startsWith('SQLITE_BUSY')) return { kind: 'SocketTimeout' }
  switch (code) {
    case 'SQLITE_CONSTRAINT_UNIQUE':
    case 'SQLITE_CONSTRAINT_PRIMARYKEY':
      return { kind: 'UniqueConstraintViolation', ...constraintOf(message) }
    case 'SQLITE_CONSTRAINT_NOTNULL':
      return { kind: 'NullConstraintViolation', ...constraintOf(message) }
    case 'SQLITE_CONSTRAINT_FOREIGNKEY':
    case 'SQLITE_CONSTRAINT_TRIGGER':
      return { kind: 'ForeignKeyConstraintViolation', constraint: { foreignKey: {} } }
    default:
      return mappedByMessage(code, message)
  }
}

// SQLite has one code for every mistake in a statement; the name that is missing stands in the message alone.
function mappedByMessage(code: string, message: string): MappedError {
  const table = /^no such table: (.+)$/.exec(message)?.[1]
  if (table !== undefined) return { kind: 'TableDoesNotExist', table }
  const column = /(?:^no such column: |has no column named )(.+)$/.exec(message)?.[1]
  if (column !== undefined) return { kind: 'ColumnNotFound', column }
  const primary = Object.keys(PRIMARY_CODES).find((name) => code === name || code.startsWith(`${name}_`))
  return { kind: 'sqlite', extendedCode: PRIMARY_CODES[primary ?? 'SQLITE_ERROR'] ?? 1, message }
}

function constraintOf(message: string): { constraint?: { fields: string[] }; table?: string } {
  const columns = message.split('constraint failed: ')[1]?.split(', ')
  if (!columns) return {}
  const table = columns[0]?.split('.').slice(0, -1).join('.')
  return {
    constraint: { fields: columns.map((column) => column.split('.').at(-1) ?? column) },
    ...(table && { table }),
  }
}

/** Runs `work`; what it throws becomes what Prisma knows, see {@link toDriverAdapterError}. */
export async function translated<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toDriverAdapterError(error)
  }
}
