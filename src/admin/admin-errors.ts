/** What was asked for is there on the other database alone. */
export class NotOnThisDatabaseError extends Error {
  override readonly name = 'NotOnThisDatabaseError'
}
