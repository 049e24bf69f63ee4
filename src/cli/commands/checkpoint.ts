import { existsSync } from 'node:fs'
import { Command, Option } from 'commander'
import { loadSettings } from '../../config/environment.js'
import { runCheckpoint } from '../../database/sqlite/checkpoints/run-checkpoint.js'
import { CommandFailedError } from '../failure.js'
import { createOutput } from '../output.js'

interface Options {
  readonly mode: 'passive' | 'truncate'
  readonly json?: boolean
}

/** `gator checkpoint`: brings SQLite's log into the database file. */
export function checkpointCommand(): Command {
  return new Command('checkpoint')
    .description(
      "bring what is in SQLite's log (the WAL) into the database file; exit code 1 when somebody was in the way",
    )
    .addOption(
      new Option(
        '--mode <mode>',
        'passive: as far as nobody is in the way; truncate: empty the log, for which writers wait some milliseconds',
      )
        .choices(['passive', 'truncate'])
        .default('truncate'),
    )
    .option('--json', 'print the result as JSON')
    .action(checkpoint)
}

async function checkpoint({ mode, json: isJson = false }: Options): Promise<void> {
  const output = createOutput(isJson)
  const { target, checkpoints } = loadSettings().database
  if (target.provider !== 'sqlite') {
    throw new CommandFailedError(
      'DATABASE_URL names PostgreSQL, which makes its checkpoints itself: this is for SQLite.',
    )
  }
  if (checkpoints.isExternal) {
    throw new CommandFailedError('With CHECKPOINT_OWNER=external another program makes the checkpoints.')
  }
  if (!existsSync(target.file)) throw new CommandFailedError(`There is no database file ${target.file}.`)
  const { isBusy, frames, checkpointed } = await runCheckpoint(target.file, mode === 'passive' ? 'PASSIVE' : 'TRUNCATE')
  const isDone = !isBusy && checkpointed >= frames
  const text = `${frames} frames in the log, ${checkpointed} of them in the database file`
  const advice = isDone ? '' : '; a reader, or a writer, was in the way: try again'
  output.result({ ok: isDone, mode, isBusy, frames, checkpointed }, `${text}${advice}`)
  if (!isDone) process.exitCode = 1
}
