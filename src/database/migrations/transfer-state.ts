/** Where `gator transfer` keeps how far it has come, on the database that it fills. */
export const TRANSFER_STATE = '_gator_transfer'

/** Whether a state tells of a transfer that has not filled its target yet; one that cannot be read does, too. */
export function isUnfinished(state: string): boolean {
  return !/"phase":"seal"/.test(state)
}
