import cluster, { type Worker } from 'node:cluster'

/** A server process could not start; the message says why, and what to do. */
export class StartFailedError extends Error {
  override readonly name = 'StartFailedError'
}

interface StartFailure {
  readonly startFailure: string
}

const reasons = new WeakMap<Worker, string>()

/**
 * Tells the primary why this worker cannot start, so that it is said once and not by every worker. Resolves to false in
 * a process that has no primary.
 */
export function tellPrimary(reason: string): Promise<boolean> {
  const { worker } = cluster
  if (!worker?.isConnected()) return Promise.resolve(false)
  const failure: StartFailure = { startFailure: reason }
  return new Promise((resolve) => worker.send(failure, (error) => resolve(error === null)))
}

/** Remembers the reason that a worker may tell. */
export function listenForReason(worker: Worker): void {
  worker.on('message', (message: unknown) => {
    if (isStartFailure(message)) reasons.set(worker, message.startFailure)
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

function isStartFailure(message: unknown): message is StartFailure {
  return typeof message === 'object' && message !== null && 'startFailure' in message
}
