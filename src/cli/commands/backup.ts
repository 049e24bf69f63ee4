import { Command } from 'commander'
import { takeBackup } from '../../backup/take-backup.js'
import { loadSettings } from '../../config/environment.js'
import { BackupBars } from '../backup-progress.js'
import { interruptible } from '../interruption.js'
import { createOutput } from '../output.js'

const HELP = `
Servers go on serving, and writing. Success is said when the copy has been checked and is on the disk, with a manifest
beside it. On PostgreSQL it is an archive of pg_dump. See docs/backup.md.`

/** `gator backup`: a checked copy of the database, while it is in service. */
export function backupCommand(): Command {
  return new Command('backup')
    .description('make a backup of the database of DATABASE_URL while the servers run')
    .argument('[file]', 'a new file to make, instead of one in BACKUP_DIRECTORY; no old backup is removed then')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', HELP)
    .action(backup)
}

async function backup(file: string | undefined, { json: isJson = false }: { readonly json?: boolean }): Promise<void> {
  const output = createOutput(isJson)
  const bars = new BackupBars(output)
  const made = await interruptible((signal) =>
    takeBackup(loadSettings(), { file, signal, onProgress: bars.show }).finally(() => bars.stop()),
  )
  const { bytes, sha256, rows } = made.manifest
  const counts = Object.entries(rows).map(([table, count]) => `${table}: ${count} rows`)
  const removed = made.removed.map((name) => `removed, one too many: ${name}`)
  const text = [...counts, ...removed, `Backed up and checked: ${made.file} (${bytes} bytes, SHA-256 ${sha256})`]
  output.result(made, text.join('\n'))
}
