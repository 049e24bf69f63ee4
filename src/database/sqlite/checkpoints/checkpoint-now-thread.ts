import { parentPort, workerData } from 'node:worker_threads'
import type { CheckpointMode } from './checkpoint-policy.js'
import { runCheckpoint } from './run-checkpoint.js'

// The thread of checkpointNow().

const { file, mode } = workerData as { readonly file: string; readonly mode: CheckpointMode }
parentPort?.postMessage(await runCheckpoint(file, mode))
