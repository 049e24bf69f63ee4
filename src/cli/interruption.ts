import { constants } from 'node:os'

const SIGNAL_EXIT_BASE = 128

/** Runs work that can be stopped in order: Ctrl-C and SIGTERM stop it, and the exit code says so when it has ended. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stopping = new AbortController()
  const stop = (signal: NodeJS.Signals) => {
    process.once('exit', () => (process.exitCode = SIGNAL_EXIT_BASE + constants.signals[signal]))
    stopping.abort()
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  try {
    return await work(stopping.signal)
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}
