/** Who makes a change, for its revision. Nothing of it is verified: there is no access control. */
export interface Writer {
  /** What the client calls itself. */
  readonly actor: string | null
  readonly requestId: string | null
  /** The slot of the worker that writes; null when there is only one process. */
  readonly worker: number | null
}
