import type { Settings } from '../config/settings.js'
import type { Backup } from './folder.js'
import type { Manifest } from './manifest.js'

/** What the child process is to do. */
export type Job =
  | {
      readonly kind: 'backup'
      readonly settings: BackupRunSettings
      /** Where the backup is to lie; its folder is there. */
      readonly file: string
      readonly work: { readonly data: string; readonly manifest: string }
      /** How many backups the folder keeps; null to remove none. */
      readonly keep: number | null
    }
  | { readonly kind: 'verify'; readonly file: string }

export type BackupRunSettings = Pick<Settings, 'database'>

/** How far it has come. `done` of `total` are bytes; a check tells only that it has begun (0) and ended (1 of 1). */
export interface BackupProgress {
  readonly phase: 'copying' | 'checking' | 'hashing'
  readonly done: number
  readonly total: number
}

/** What a finished job answers. */
export interface JobResults {
  readonly backup: Backup & { readonly removed: readonly string[] }
  readonly verify: Manifest
}

/** From the child to its parent. Of an error that is for people there is the message, of every other the stack. */
export type ChildMessage =
  | { readonly type: 'progress'; readonly progress: BackupProgress }
  | { readonly type: 'done'; readonly result: JobResults[Job['kind']] }
  | { readonly type: 'failed'; readonly name: string; readonly message: string }
