import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { onEachDatabase } from '../support/databases.js'
import { aPersona } from './a-persona.js'
import type { Answer, Connection } from './connection.js'
import type { LockHolder } from './lock-holder.js'
import { Sandbox } from './sandbox.js'
import type { ServerProcess } from './server.js'

const HELD_MS = 3_000
/** Reads do not wait at all; a busy machine may make one of them slow, but not by the time that the lock is held. */
const TYPICAL_READ_MS = 50
const SLOWEST_READ_MS = 1_000
const SHORT_BUSY_TIMEOUT_MS = 500
/** What a refused write may take beyond the busy timeout. */
const MARGIN_MS = 500

/** Reads one after another as long as `holdMs` lasts. */
async function readFor(holdMs: number, connection: Connection, id: string): Promise<Answer[]> {
  const answers: Answer[] = []
  const end = performance.now() + holdMs
  while (performance.now() < end) answers.push(await connection.read(id))
  return answers
}

onEachDatabase((kind) => {
  // On SQLite it is a process with the write lock of the file, on PostgreSQL a session with the locks of all rows.
  describe('somebody foreign who holds what a write needs', () => {
    const sandbox = new Sandbox(kind, true)
    let patient: ServerProcess
    let impatient: ServerProcess
    let holder: LockHolder
    let id: string

    beforeAll(async () => {
      const database = await sandbox.database()
      const env = { DATABASE_BUSY_TIMEOUT_MS: String(SHORT_BUSY_TIMEOUT_MS) }
      ;[patient, impatient] = await Promise.all([sandbox.start({ database }), sandbox.start({ database, env })])
      holder = sandbox.lockHolder(database)
      id = (await sandbox.connect(patient).create(aPersona())).body.id
    })
    afterAll(() => sandbox.clear())

    it('for 3 s stops no read, and the writes that wait for it succeed', async () => {
      await holder.take()
      const takenAt = performance.now()
      let isWritten = false
      const fields = [{ appearance: 'Written after the lock was released' }, { base_image_path: 'waited.png' }]
      const writes = fields.map((field) => sandbox.connect(patient).update(id, field))
      void Promise.race(writes).then(() => {
        isWritten = true
      })
      const health = sandbox.connect(patient).request('GET', '/health')
      const reads = await readFor(HELD_MS, sandbox.connect(patient), id)
      expect(isWritten).toBe(false)
      await holder.release()
      const heldMs = performance.now() - takenAt
      const answers = await Promise.all(writes)

      expect(heldMs).toBeGreaterThanOrEqual(HELD_MS)
      expect(new Set(reads.map(({ status, body }) => `${status} version ${body.version}`))).toEqual(
        new Set(['200 version 1']),
      )
      const durations = reads.map(({ durationMs }) => durationMs).sort((a, b) => a - b)
      expect(durations[Math.floor(durations.length / 2)]).toBeLessThan(TYPICAL_READ_MS)
      expect(durations.at(-1)).toBeLessThan(SLOWEST_READ_MS)
      expect(answers.map(({ status }) => status)).toEqual([200, 200])
      // PostgreSQL has no lock of the whole database: what somebody else writes is written.
      const writing = kind === 'SQLite' ? 'unhealthy' : 'healthy'
      expect(await health).toMatchObject({ body: { status: writing, details: { read: 'healthy', write: writing } } })
      expect((await health).status).toBe(kind === 'SQLite' ? 503 : 200)
      const { body } = await sandbox.connect(impatient).read(id)
      expect(body).toMatchObject({ version: 3, ...fields[0], ...fields[1] })
    })

    it('longer than the busy timeout gets a write refused with 503, and nothing written', async () => {
      const before = await sandbox.connect(impatient).read(id)
      await holder.take()
      const answer = await sandbox.connect(impatient).update(id, { appearance: 'This must not be written anywhere' })
      const during = await sandbox.connect(impatient).read(id)
      await holder.release()

      expect(answer.status).toBe(503)
      expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/)
      expect(answer.headers['content-type']).toMatch('application/problem+json')
      expect(answer.body).toMatchObject({ status: 503, title: 'Write lock timeout' })
      expect(answer.durationMs).toBeGreaterThanOrEqual(SHORT_BUSY_TIMEOUT_MS)
      expect(answer.durationMs).toBeLessThan(SHORT_BUSY_TIMEOUT_MS + MARGIN_MS)
      expect(during.body).toEqual(before.body)
      // It is SQLite's own queue that tells of a refusal; on PostgreSQL the line of the request does.
      if (kind === 'SQLite') {
        const lines = impatient.lines.filter(({ msg }) => msg.startsWith('busy_timeout'))
        expect(lines).toEqual([expect.objectContaining({ busyTimeoutMs: SHORT_BUSY_TIMEOUT_MS })])
      }

      const later = await sandbox.connect(impatient).update(id, { appearance: 'The lock is free, so this is written' })
      expect(later).toMatchObject({ status: 200, body: { version: before.body.version + 1 } })
    })
  })
})
