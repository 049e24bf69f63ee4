import { AccessRefusedError } from '../access/access.errors.js'

/** Somebody asked from another machine, or through something that may stand for one. */
export class LoopbackOnlyError extends AccessRefusedError {
  override readonly name = 'LoopbackOnlyError'
  override readonly reason = 'loopback-only'

  constructor(why: string) {
    super(`This is for the machine that the server runs on, or for a key with the scope admin: ${why}.`)
  }
}

/** What was asked for is there on the other database alone. */
export class NotOnThisDatabaseError extends Error {
  override readonly name = 'NotOnThisDatabaseError'
}
