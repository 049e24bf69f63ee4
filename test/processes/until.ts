import { setTimeout as delay } from 'node:timers/promises'

const POLL_MS = 10
const DEFAULT_TIMEOUT_MS = 15_000

/**
 * Waits for a condition and answers its first value that is neither undefined nor false.
 * @param what is waited for, for the message
 * @throws Error when it did not come within `timeoutMs`
 */
export async function until<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = DEFAULT_TIMEOUT_MS,
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const value = await condition()
    if (value !== undefined && value !== false) return value
    if (performance.now() > deadline) throw new Error(`Not within ${timeoutMs} ms: ${what}`)
    await delay(POLL_MS)
  }
}
