import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { programFile } from '../../../package-root.js'
import type { CheckpointMode } from './checkpoint-policy.js'
import type { CheckpointResult } from './wal-checkpoint.js'

// As it is built: a thread is not compiled on the way.
const THREAD = programFile('checkpoint-now-thread')

/** Runs a checkpoint in a thread of its own, while this one serves. */
export async function checkpointNow(file: string, mode: CheckpointMode): Promise<CheckpointResult> {
  const thread = new Worker(THREAD, { workerData: { file, mode }, name: 'checkpoint' })
  const ended = once(thread, 'exit').then(() => {
    throw new Error('The checkpoint ended without a result.')
  })
  const told = once(thread, 'message') as Promise<[CheckpointResult]>
  const [result] = await Promise.race([told, ended])
  ended.catch(() => undefined)
  return result
}
