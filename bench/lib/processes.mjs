import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { TicketOffice } from '../../dist/database/sqlite/ticket-office.js'

const WRITER = fileURLToPath(new URL('../writer.mjs', import.meta.url))
// Longer than any transaction here lasts.
const LONGEST_TURN_MS = 10_000

/**
 * Runs a job in several processes at once, which begin together and share one ticket office; answers what each reports.
 * @param {number} count
 * @param {object} job what writer.mjs is to do
 */
export async function runInProcesses(count, job) {
  const office = new TicketOffice(LONGEST_TURN_MS)
  const children = Array.from({ length: count }, () => fork(WRITER, [JSON.stringify(job)]))
  try {
    await Promise.all(
      children.map((child) => {
        office.attach(child)
        return messageOf(child, 'ready')
      }),
    )
    const reports = children.map((child) => messageOf(child, 'report'))
    for (const child of children) child.send({ type: 'start' })
    return await Promise.all(reports)
  } finally {
    for (const child of children) child.kill()
  }
}

async function messageOf(child, type) {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`a writer ended with code ${code} before it said "${type}"`)
  })
  const said = new Promise((resolve) => {
    const listener = (message) => {
      if (message.type !== type) return
      child.off('message', listener)
      resolve(message)
    }
    child.on('message', listener)
  })
  ended.catch(() => undefined)
  return Promise.race([said, ended])
}
