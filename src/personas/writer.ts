/** Who makes a change, for its revision. Nothing of it is verified: a key says who may write, and not for whom it does. */
export interface Writer {
  /** What the client calls itself. */
  readonly actor: string | null
  readonly requestId: string | null
  /** The slot of the worker that writes; null when there is only one process. */
  readonly worker: number | null
}
