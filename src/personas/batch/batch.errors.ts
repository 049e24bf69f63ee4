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
