/** A backup or a restore cannot be made, or came to nothing; the message says why, and what to do. */
export class BackupError extends Error {
  override readonly name: string = 'BackupError'
}

/** Another process makes, or restores, a backup in the same folder at this moment. */
export class BackupBusyError extends BackupError {
  override readonly name = 'BackupBusyError'
}

/** There is no backup of this name. */
export class BackupNotFoundError extends BackupError {
  override readonly name = 'BackupNotFoundError'
  constructor(name: string) {
    super(`There is no backup ${JSON.stringify(name)}: "gator backups" lists what there is.`)
  }
}

/** Whoever asked for the backup does not want it any more; what there was of it is removed. */
export class BackupAbortedError extends BackupError {
  override readonly name = 'BackupAbortedError'
  constructor() {
    super('The backup was stopped; nothing is left of it.')
  }
}
