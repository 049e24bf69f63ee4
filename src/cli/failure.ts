import { inspect } from 'node:util'
import { BackupError } from '../backup/backup-errors.js'
import { InvalidSettingsError } from '../config/settings.js'
import { MigrationFailedError } from '../database/migrations/deploy.js'
import { SchemaStateError } from '../database/migrations/migrations.js'
import { ImportInterruptedError } from '../import-legacy/import-rows.js'
import { LegacyFileError } from '../import-legacy/legacy-file.error.js'
import { TransferError } from '../transfer/transfer-errors.js'

/** A command cannot do what it was asked to; the message says why, and what to do. */
export class CommandFailedError extends Error {
  override readonly name: string = 'CommandFailedError'
}

/** What was asked for makes no sense, whatever the state of the databases. */
export class UsageError extends CommandFailedError {
  override readonly name = 'UsageError'
}

/** Errors whose message is for people; of every other the stack is needed. */
const FOR_PEOPLE = [
  CommandFailedError,
  InvalidSettingsError,
  SchemaStateError,
  MigrationFailedError,
  LegacyFileError,
  ImportInterruptedError,
  TransferError,
  BackupError,
]
const WRONG_USAGE = [UsageError, InvalidSettingsError]

/** What a person is told of an error, and whether it is a matter of how the command was called. */
export function explain(error: unknown): { readonly message: string; readonly isUsage: boolean } {
  const is = (kinds: readonly (abstract new (...args: never[]) => Error)[]) =>
    kinds.some((kind) => error instanceof kind)
  return { message: messageOf(error, is(FOR_PEOPLE)), isUsage: is(WRONG_USAGE) }
}

// The errors of a driver, or of the network, have a code; their message says what is wrong with the file or the server.
function messageOf(error: unknown, isForPeople: boolean): string {
  if (!(error instanceof Error)) return inspect(error)
  if (isForPeople) return error.message
  return 'code' in error ? `The database cannot be used: ${error.message || String(error.code)}` : inspect(error)
}
