import { Command } from 'commander'
import { packageInfo } from '../package-root.js'
import { backupCommand } from './commands/backup.js'
import { backupsCommand } from './commands/backups.js'
import { checkpointCommand } from './commands/checkpoint.js'
import { demoCommand } from './commands/demo.js'
import { doctorCommand } from './commands/doctor.js'
import { importLegacyCommand } from './commands/import-legacy.js'
import { keysCommand } from './commands/keys.js'
import { migrateCommand } from './commands/migrate.js'
import { restoreCommand } from './commands/restore.js'
import { serveCommand } from './commands/serve.js'
import { transferCommand } from './commands/transfer.js'

/** Every command of `gator`, with its help. Errors are thrown (CommanderError), nothing exits. */
export function createProgram(): Command {
  const program = new Command('gator')
    .description('Serves AI personas over REST, and looks after the database that they live in.')
    .version(packageInfo.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText(
      'after',
      '\nSettings come from the environment and from .env in the working folder: see the README.\n' +
        'Exit codes: 0 done, 1 failed, 2 the command line or a setting is wrong.',
    )
    .showHelpAfterError('(gator help shows what there is)')
  const commands = [
    serveCommand(),
    migrateCommand(),
    keysCommand(),
    doctorCommand(),
    backupCommand(),
    backupsCommand(),
    restoreCommand(),
    checkpointCommand(),
    transferCommand(),
    importLegacyCommand(),
    demoCommand(),
  ]
  for (const command of commands) program.addCommand(command)
  throwInsteadOfExiting(program)
  return program
}

function throwInsteadOfExiting(command: Command): void {
  command.exitOverride()
  command.commands.forEach(throwInsteadOfExiting)
}
