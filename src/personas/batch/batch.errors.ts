/** The results of a batch have grown beyond what a batch may be answered with. */
export class BatchTooLargeError extends Error {
  override readonly name = 'BatchTooLargeError'
  constructor(mostBytes: number) {
    super(`The results of the operations up to here have more than ${mostBytes} bytes; send fewer at a time.`)
  }
}

/** One operation of an atomic batch was refused, so that none was carried out. */
export class BatchOperationError extends Error {
  override readonly name = 'BatchOperationError'
  constructor(
    /** Of the first operation that is at fault, from 0. */
    readonly index: number,
    /** Its refusal, with pointers from the root of the batch. */
    override readonly cause: Error,
  ) {
    super(`Operation ${index} was refused, so none was carried out: ${cause.message}`, { cause })
  }
}
