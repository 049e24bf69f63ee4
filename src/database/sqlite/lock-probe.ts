import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { programFile } from '../../package-root.js'
import { openBetterSqlite3, type SqliteDriver } from './driver.js'
import { isBusy } from './errors.js'

// As it is built: a process is not compiled on the way.
const HOLDER = programFile('lock-probe-holder')
const HOLDER_TIMEOUT_MS = 10_000
/** What the holder prints when it has the lock. */
export const HELD = 'held'

/**
 * Whether locks do on this file system what SQLite needs of them: a process that writes keeps another one out, and one
 * that is killed does not. Tried with two processes and a database of its own, which the caller removes.
 * @param scratch a path in the folder of the database
 * @param program what the second process runs; another one in tests
 * @returns what is wrong, or undefined
 */
export async function lockFault(scratch: string, program = HOLDER): Promise<string | undefined> {
  const holder = spawn(process.execPath, [program, scratch], { stdio: 'pipe' })
  const exited = Promise.race([once(holder, 'exit'), once(holder, 'close')])
  exited.catch(() => undefined)
  const timer = setTimeout(() => holder.kill('SIGKILL'), HOLDER_TIMEOUT_MS)
  try {
    const complaint = await complaintOf(holder)
    if (complaint !== undefined) return `the lock could not be tried out (${complaint})`
    const driver = openBetterSqlite3(scratch, { readonly: false, timeoutMs: 0 })
    try {
      if (takesLock(driver)) return 'two processes got the write lock of one database at the same time'
      holder.kill('SIGKILL')
      await exited
      return takesLock(driver) ? undefined : 'the lock of a process that was killed stayed'
    } finally {
      driver.close()
    }
  } finally {
    clearTimeout(timer)
    holder.kill('SIGKILL')
    await exited
  }
}

/** Waits until the holder has the lock; answers what it says when it ends instead. */
async function complaintOf(holder: ChildProcess): Promise<string | undefined> {
  let said = ''
  let complaint = ''
  holder.stderr?.setEncoding('utf8').on('data', (text: string) => (complaint += text))
  for await (const text of holder.stdout ?? []) {
    said += String(text)
    if (said.includes(HELD)) return undefined
  }
  return complaint.trim() || 'the second process ended'
}

function takesLock(driver: SqliteDriver): boolean {
  try {
    driver.exec('BEGIN IMMEDIATE')
    driver.exec('ROLLBACK')
    return true
  } catch (error) {
    if (isBusy(error)) return false
    throw error
  }
}
