import type { CheckpointLimits } from './checkpoint-policy.js'
import type { CheckpointObserver } from './checkpointer.js'

/** What the thread is started with. */
export interface CheckpointThreadOptions {
  readonly file: string
  readonly synchronous: 'NORMAL' | 'FULL'
  readonly limits: CheckpointLimits
}

/** What the thread is told; there is nothing else than its end. */
export const END = 'end'

/** What the thread tells: a call of the observer. */
export type CheckpointNews = {
  readonly [Name in keyof CheckpointObserver]-?: {
    readonly call: Name
    readonly event: Parameters<NonNullable<CheckpointObserver[Name]>>[0]
  }
}[keyof CheckpointObserver]
