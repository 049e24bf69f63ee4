import { inspect } from 'node:util'
import { InvalidSettingsError } from '../config/settings.js'
import { MigrationFailedError } from '../database/migrations/deploy.js'
import { SchemaStateError } from '../database/migrations/migrations.js'
import { ImportInterruptedError } from '../import-legacy/import-rows.js'
import { LegacyFileError } from '../import-legacy/legacy-file.error.js'

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
]
const WRONG_USAGE = [UsageError, InvalidSettingsError]

/** What a person is told of an error, and whether it is a matter of how the command was called. */
export function explain(error: unknown): { readonly message: string; readonly isUsage: boolean } {
  const is = (kinds: readonly (abstract new (...args: never[]) => Error)[]) =>
    kinds.some((kind) => error instanceof kind)
  const message = error instanceof Error && is(FOR_PEOPLE) ? error.message : inspect(error)
  return { message, isUsage: is(WRONG_USAGE) }
}
