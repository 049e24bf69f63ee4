import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { programFile } from '../package-root.js'
import { BackupAbortedError, BackupBusyError, BackupError } from './backup-errors.js'
import type { BackupProgress, ChildMessage, Job, JobResults } from './messages.js'

export interface JobOptions {
  /** Told how far it has come; of one phase after the other. */
  readonly onProgress?: ((progress: BackupProgress) => void) | undefined
  /** Ends the process when it is aborted. */
  readonly signal?: AbortSignal | undefined
}

// The built one, also when this is a test's: a process knows no TypeScript.
const CHILD = programFile('backup-child')
const POLL_MS = 200

/**
 * Does a job in a process of its own.
 * @param growing the file that grows while it is copied, to tell how far it is: the process itself is blocked then
 * @throws BackupError with what the process said, BackupAbortedError when the signal came first
 */
export async function runJob<Kind extends Job['kind']>(
  job: Extract<Job, { kind: Kind }>,
  { onProgress = () => undefined, signal }: JobOptions,
  growing?: string,
): Promise<JobResults[Kind]> {
  if (signal?.aborted) throw new BackupAbortedError()
  // A debugger's port, or a loader of the parent's, is not for it.
  const child = fork(CHILD, [], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const kill = () => child.kill('SIGKILL')
  signal?.addEventListener('abort', kill)
  const stopWatching = watchGrowth(child, growing, onProgress)
  try {
    const answer = await answerOf(child, job, onProgress)
    if (answer?.type === 'done') return answer.result as JobResults[Kind]
    if (signal?.aborted) throw new BackupAbortedError()
    throw failureOf(answer, child)
  } finally {
    stopWatching()
    signal?.removeEventListener('abort', kill)
  }
}

/** What the process answered last; undefined when it ended without an answer. Resolves when it is gone. */
async function answerOf(
  child: ChildProcess,
  job: Job,
  onProgress: (progress: BackupProgress) => void,
): Promise<Exclude<ChildMessage, { type: 'progress' }> | undefined> {
  let answer: Exclude<ChildMessage, { type: 'progress' }> | undefined
  child.on('message', (message: ChildMessage) => {
    if (message.type === 'progress') onProgress(message.progress)
    else answer = message
  })
  // One that cannot be reached any more has ended, or is about to.
  child.send(job, () => undefined)
  await once(child, 'close')
  return answer
}

function failureOf(
  answer: { readonly name: string; readonly message: string } | undefined,
  child: ChildProcess,
): Error {
  if (!answer) {
    const how = child.signalCode ?? `exit code ${child.exitCode}`
    return new BackupError(`The process that makes the backup ended before it was done (${how}).`)
  }
  const Failure = answer.name === 'BackupBusyError' ? BackupBusyError : BackupError
  return new Failure(answer.message)
}

/** Tells how far a copy has come by the size of its file, until the process says that it is written. */
function watchGrowth(
  child: ChildProcess,
  file: string | undefined,
  onProgress: (progress: BackupProgress) => void,
): () => void {
  let total: number | undefined
  child.on('message', (message: ChildMessage) => {
    if (message.type !== 'progress') return
    const { phase, done, total: expected } = message.progress
    total = phase === 'copying' && done < expected ? expected : undefined
  })
  if (file === undefined) return () => undefined
  const timer = setInterval(() => {
    void stat(file).then(
      ({ size }) => {
        if (total !== undefined) onProgress({ phase: 'copying', done: Math.min(size, total), total })
      },
      () => undefined,
    )
  }, POLL_MS)
  return () => clearInterval(timer)
}
