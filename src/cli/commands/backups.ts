import { Command } from 'commander'
import { BackupError } from '../../backup/backup-errors.js'
import { type Backup, listBackups } from '../../backup/folder.js'
import { verifyBackup } from '../../backup/take-backup.js'
import { loadSettings } from '../../config/environment.js'
import { BackupBars } from '../backup-progress.js'
import { createOutput, type Output } from '../output.js'

interface Options {
  readonly verify?: boolean
  readonly json?: boolean
}

/** `gator backups`: what there is in the folder of backups, and whether it is still what it was. */
export function backupsCommand(): Command {
  return new Command('backups')
    .description('list the backups in BACKUP_DIRECTORY, newest first')
    .option('--verify', 'check each of them again, as it was checked when it was made; exit code 1 when one is damaged')
    .option('--json', 'print the result as JSON')
    .action(backups)
}

async function backups({ verify: isVerified = false, json: isJson = false }: Options): Promise<void> {
  const output = createOutput(isJson)
  const { directory } = loadSettings().backup
  const found = listBackups(directory)
  const listed = []
  for (const backup of found) listed.push({ ...backup, ...(isVerified && { fault: await faultOf(backup, output) }) })
  const isSound = listed.every(({ fault }) => !fault)
  const lines = listed.map(({ name, manifest, fault }) => {
    const { startedAt, bytes, rows } = manifest
    const state = fault === undefined ? '' : `  ${fault === null ? 'sound' : `DAMAGED: ${fault}`}`
    return `${name}  ${startedAt}  ${bytes} bytes  ${rows['personas'] ?? 0} personas${state}`
  })
  output.result(
    { ok: isSound, directory, backups: listed },
    lines.length > 0 ? lines.join('\n') : `There is no backup in ${directory}.`,
  )
  if (!isSound) process.exitCode = 1
}

/** What is wrong with a backup; null when it is sound. */
async function faultOf({ file, name }: Backup, output: Output): Promise<string | null> {
  const bars = new BackupBars(output)
  output.say(`Verifying ${name}.`)
  try {
    await verifyBackup(file, { onProgress: bars.show })
    return null
  } catch (error) {
    if (error instanceof BackupError) return error.message
    throw error
  } finally {
    bars.stop()
  }
}
