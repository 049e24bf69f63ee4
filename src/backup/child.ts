import { BackupError } from './backup-errors.js'
import { errorCodeOf } from './error-code.js'
import { checkBackup } from './check-backup.js'
import type { ChildMessage, Job } from './messages.js'
import { writeBackup } from './write-backup.js'

/** The process in which a backup is made, or verified: it may block. Its parent sends one job. */
const send = (message: ChildMessage) =>
  new Promise<void>((resolve) => {
    if (!process.connected) resolve()
    else process.send?.(message, undefined, undefined, () => resolve())
  })

// Whoever wanted the backup is gone. What there is of it is removed by the next one.
const leave = () => process.exit(1)
process.on('disconnect', leave)

process.once('message', (job: Job) => {
  void run(job).then(async (message) => {
    await send(message)
    process.off('disconnect', leave)
    process.disconnect()
  })
})

async function run(job: Job): Promise<ChildMessage> {
  try {
    const onProgress = (progress: Extract<ChildMessage, { type: 'progress' }>['progress']) =>
      void send({ type: 'progress', progress })
    const result = job.kind === 'backup' ? await writeBackup(job, onProgress) : await checkBackup(job.file, onProgress)
    return { type: 'done', result }
  } catch (error) {
    return { type: 'failed', ...explained(error) }
  }
}

function explained(error: unknown): { readonly name: string; readonly message: string } {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) }
  const { name, message, stack } = error
  if (error instanceof BackupError) return { name, message }
  // The system's errors, and the drivers', have a code; of every other the stack is needed.
  const code = errorCodeOf(error)
  return { name, message: code === undefined ? (stack ?? message) : `It failed: ${message || name} (${code}).` }
}
