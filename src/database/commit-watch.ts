/** Somebody who is told of commits, from when it is made until it is closed. */
export interface CommitWatch {
  /** Ends it: there is no call after this. Whatever it had open may be closed a moment later. */
  close(): void
}
