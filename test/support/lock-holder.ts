import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** A foreign process that holds the write lock of a database file until `release` has resolved. */
export interface LockHolder {
  release(): Promise<void>
}

/** Starts a process that takes the write lock; resolves when it has it. */
export async function holdLock(file: string): Promise<LockHolder> {
  const script = join(process.cwd(), 'test', 'support', 'hold-lock-process.mjs')
  const child = spawn(process.execPath, [script, file], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  await Promise.race([
    once(child.stdout, 'data'),
    exited.then(() => Promise.reject(new Error('the lock holder ended before it had the lock'))),
  ])
  return {
    release: async () => {
      child.stdin.end()
      await exited
    },
  }
}
