import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const HOLDER = fileURLToPath(new URL('../../test/support/hold-lock-process.mjs', import.meta.url))

/**
 * A foreign process that holds the write lock until `release` is called, which answers the moment before it was told to
 * let go, on the clock of `performance.now()`: when it has ended, others may have had the lock for long.
 */
export async function holdLock(file) {
  const child = spawn(process.execPath, [HOLDER, file], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return {
    release: async () => {
      const exited = once(child, 'exit')
      const toldAt = performance.now()
      child.stdin.end()
      await exited
      return toldAt
    },
  }
}

/** Sends a GET every `1000 / perSecond` ms until `until` resolves; answers how many came back, and how long they took. */
export async function steadyReads(url, perSecond, until) {
  const report = { answered: 0, failed: 0, times: [] }
  let isOver = false
  void until.then(() => {
    isOver = true
  })
  const pending = []
  while (!isOver) {
    const start = performance.now()
    pending.push(
      fetch(url).then(
        async (response) => {
          await response.arrayBuffer()
          report.times.push(performance.now() - start)
          report[response.ok ? 'answered' : 'failed'] += 1
        },
        () => {
          report.failed += 1
        },
      ),
    )
    await delay(1_000 / perSecond)
  }
  await Promise.all(pending)
  return report
}
