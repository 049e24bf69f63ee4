/** The database cannot serve now; nothing was written. The caller may come again after `retryAfterSeconds`. */
export class DatabaseUnavailableError extends Error {
  override readonly name: string = 'DatabaseUnavailableError'
  readonly retryAfterSeconds: number = 1

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
  }
}

/** The database serves, but this write did not get its turn; nothing was written. */
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

/** There is no room left for the write; nothing was written. */
export class StorageFullError extends Error {
  override readonly name = 'StorageFullError'

  constructor(options?: ErrorOptions) {
    super('The disk or the quota of the database is full; nothing was written.', options)
  }
}
