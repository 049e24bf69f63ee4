import { Command } from 'commander'
import { restoreBackup } from '../../backup/restore.js'
import { backupNamed } from '../../backup/take-backup.js'
import { loadSettings } from '../../config/environment.js'
import { BackupBars } from '../backup-progress.js'
import { createOutput } from '../output.js'

const HELP = `
Stop the servers first: a restore is refused while one uses the database. The file is checked before anything is touched,
and the replaced database is kept. See docs/backup.md.`

/** `gator restore`: puts a backup in the place of the database. */
export function restoreCommand(): Command {
  return new Command('restore')
    .description('put a backup in the place of the database of DATABASE_URL; the replaced one is kept aside')
    .argument('<file>', 'the backup: a path, or a name that "gator backups" lists')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', HELP)
    .action(restore)
}

async function restore(word: string, { json: isJson = false }: { readonly json?: boolean }): Promise<void> {
  const output = createOutput(isJson)
  const settings = loadSettings()
  const file = backupNamed(word, settings.backup.directory)
  const bars = new BackupBars(output)
  const result = await restoreBackup(settings, file, { onProgress: bars.show }).finally(() => bars.stop())
  const { replaced, pending, hasManifest } = result
  const text = [
    ...(hasManifest ? [] : ['The file has no manifest: it was checked, but not against the hash of when it was made.']),
    `Restored ${file}.`,
    replaced === null ? 'There was no database before.' : `The replaced database is kept: ${replaced}`,
    ...(pending.length > 0
      ? [`It has an older schema: "gator migrate", or the next start, applies ${pending.join(', ')}.`]
      : []),
  ]
  output.result({ ...result, file }, text.join('\n'))
}
