/** The path is known, the method is not one of its own. */
export class MethodNotAllowedError extends Error {
  override readonly name = 'MethodNotAllowedError'

  /** @param allow the value of the `Allow` header */
  constructor(
    method: string,
    readonly allow: string,
  ) {
    super(`${method} is not allowed here; allowed are ${allow}.`)
  }
}
