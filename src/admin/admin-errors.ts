/** Somebody asked from another machine, or through something that may stand for one. */
export class LoopbackOnlyError extends Error {
  override readonly name = 'LoopbackOnlyError'

  constructor(why: string) {
    super(`This is for the machine that the server runs on: ${why}.`)
  }
}

/** What was asked for is there on the other database alone. */
export class NotOnThisDatabaseError extends Error {
  override readonly name = 'NotOnThisDatabaseError'
}
