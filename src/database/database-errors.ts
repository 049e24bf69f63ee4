/** The database cannot serve now; nothing was written. The caller may come again after `retryAfterSeconds`. */
export class DatabaseUnavailableError extends Error {
  override readonly name: string = 'DatabaseUnavailableError'
  readonly retryAfterSeconds: number = 1

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
  }
}

/** Nobody answers where the database was; not even with a refusal. */
export class DatabaseAwayError extends DatabaseUnavailableError {
  override readonly name = 'DatabaseAwayError'

  constructor(options?: ErrorOptions) {
    super('The database does not answer.', options)
  }
}

/** The database serves, but not this write: it had no turn, or nothing is written here any more. Nothing was written. */
export abstract class WriteRefusedError extends DatabaseUnavailableError {}

/** The write lock was not free within the busy timeout; nothing was written. */
export class WriteLockTimeoutError extends WriteRefusedError {
  override readonly name = 'WriteLockTimeoutError'

  constructor(options?: ErrorOptions) {
    super('The write lock could not be had within the busy timeout; nothing was written.', options)
  }
}

/** As many writes wait already as may; nothing was written. */
export class WriteQueueFullError extends WriteRefusedError {
  override readonly name = 'WriteQueueFullError'

  constructor(options?: ErrorOptions) {
    super('Too many writes are waiting already; nothing was written.', options)
  }
}

/**
 * The connection broke before the database had said whether a write was made. It may be there or not, and may appear a
 * moment later; it is never made a second time from here.
 */
export class WriteOutcomeUnknownError extends Error {
  override readonly name = 'WriteOutcomeUnknownError'
  readonly retryAfterSeconds = 1

  constructor(options?: ErrorOptions) {
    super('The database was lost before it answered: the write was made or not. Read before you repeat it.', options)
  }
}

/**
 * What the seal of `gator transfer` raises: a SQLSTATE on PostgreSQL; SQLite's message begins with it, which has no
 * codes of a trigger's own.
 */
export const DATABASE_MOVED_CODE = 'GA001'

const DATABASE_MOVED_RETRY_SECONDS = 5

/** Everything was moved to another database, and this one takes no writes; nothing was written. */
export class DatabaseMovedError extends WriteRefusedError {
  override readonly name = 'DatabaseMovedError'
  // As long as a restart with the other database may take.
  override readonly retryAfterSeconds = DATABASE_MOVED_RETRY_SECONDS

  constructor(options?: ErrorOptions) {
    super(
      'The data was moved to another database, and the server is to be restarted with it; nothing was written.',
      options,
    )
  }
}

/** There is no room left for the write; nothing was written. */
export class StorageFullError extends Error {
  override readonly name = 'StorageFullError'

  constructor(options?: ErrorOptions) {
    super('The disk or the quota of the database is full; nothing was written.', options)
  }
}
