import cluster, { type Worker } from 'node:cluster'

/** A server process could not start; the message says why, and what to do. */
export class StartFailedError extends Error {
  override readonly name = 'StartFailedError'
}

interface WorkerFailure {
  /** Why this worker cannot start, or why no worker can go on. */
  readonly workerFailure: string
  readonly isEverybodys: boolean
}

const reasons = new WeakMap<Worker, string>()

/**
 * Tells the primary why this worker cannot start, so that it is said once and not by every worker. Resolves to false in
 * a process that has no primary.
 * @param isEverybodys whether no worker can go on: the primary stops them all then
 */
export function tellPrimary(reason: string, isEverybodys = false): Promise<boolean> {
  const { worker } = cluster
  if (!worker?.isConnected()) return Promise.resolve(false)
  const failure: WorkerFailure = { workerFailure: reason, isEverybodys }
  return new Promise((resolve) => worker.send(failure, (error) => resolve(error === null)))
}

/** Remembers the reason that a worker may tell. */
export function listenForReason(worker: Worker, onEverybodys: (reason: string) => void): void {
  worker.on('message', (message: unknown) => {
    if (!isWorkerFailure(message)) return
    reasons.set(worker, message.workerFailure)
    if (message.isEverybodys) onEverybodys(message.workerFailure)
  })
}

/** Why a worker did not start, if it said so. */
export function reasonOf(worker: Worker): string | undefined {
  return reasons.get(worker)
}

const LISTEN_FAULTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use. Stop the process that listens there, or choose another PORT',
  EACCES: 'this user may not use the port. Choose a PORT from 1024 on',
  EADDRNOTAVAIL: 'this machine does not have the address. Choose another HOST',
  ENOTFOUND: 'the name is not known. Choose another HOST',
}

/** What a failed `listen` means for the person who started the server; an error that it does not know stays as it is. */
export function listenFailure(error: unknown, host: string, port: number): unknown {
  const fault = error instanceof Error && 'code' in error ? LISTEN_FAULTS[String(error.code)] : undefined
  return fault === undefined ? error : new StartFailedError(`Cannot listen on ${host}, port ${port}: ${fault}.`)
}

function isWorkerFailure(message: unknown): message is WorkerFailure {
  return typeof message === 'object' && message !== null && 'workerFailure' in message
}
