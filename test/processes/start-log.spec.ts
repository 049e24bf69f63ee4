import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { aPersona } from './a-persona.js'
import { Sandbox } from './sandbox.js'
import type { LogLine } from './server.js'
import { until } from './until.js'

const WORKERS = 2
const WAL_LINE = 'SQLite WAL mode enabled for improved concurrency'

describe('a cluster that logs its SQL, on SQLite', () => {
  const sandbox = new Sandbox()
  afterAll(() => sandbox.clear())

  it('says once per worker that WAL is on, and shows every statement of a write without its values', async () => {
    const folder = sandbox.folder()
    const server = await sandbox.start({ folder, workers: WORKERS, env: { LOG_SQL: 'true' } })
    expect(['gator.db', 'gator.db-wal', 'gator.db-shm'].filter((name) => !existsSync(join(folder, name)))).toEqual([])

    const [connection] = await sandbox.connectToEachWorker(server, WORKERS)
    const secret = 'What nobody shall find in a log'
    const created = await connection?.create(aPersona({ appearance: secret, style_preferences: { secret } }))
    const id = created?.body.id ?? ''
    const updated = await connection?.update(id, { personality: secret })
    expect([created?.status, updated?.status]).toEqual([201, 200])
    const statements = await until('both writes are logged', () => {
      // Every worker's health is asked while it starts; the writes are worker 1's.
      const lines = server.lines.filter(({ msg, worker }) => msg.startsWith('SQL ') && worker === 1)
      return lines.filter(({ msg }) => msg === 'SQL COMMIT').length === 2 && lines
    })

    expectTransaction(statements, 'INSERT INTO `main`.`personas`')
    expectTransaction(statements, 'UPDATE personas SET')
    for (const line of statements) expect(line['durationMs']).toEqual(expect.any(Number))
    await server.stop()
    expect(server.linesWith(WAL_LINE).map((line) => line['worker'])).toHaveLength(WORKERS)
    expect(new Set(server.linesWith(WAL_LINE).map((line) => line['worker']))).toEqual(new Set([1, 2]))
    expect(server.output).not.toContain(secret)
    expect(server.output.replaceAll(`/personas/${id}`, '')).not.toContain(id)
  })

  function expectTransaction(lines: readonly LogLine[], statement: string): void {
    const index = lines.findIndex(({ msg }) => msg.startsWith(`SQL ${statement}`))
    expect(lines.slice(index - 1, index + 2).map((line) => line.msg)).toEqual([
      'SQL BEGIN IMMEDIATE',
      expect.stringContaining(statement),
      'SQL COMMIT',
    ])
  }
})

describe('a cluster that logs its SQL, on PostgreSQL', () => {
  const sandbox = new Sandbox('PostgreSQL')
  afterAll(() => sandbox.clear())

  it('shows the statements of a write without their values, and says nothing of WAL', async () => {
    const server = await sandbox.start({ workers: WORKERS, env: { LOG_SQL: 'true' } })
    const [connection] = await sandbox.connectToEachWorker(server, WORKERS)
    const secret = 'What nobody shall find in a log'
    const created = await connection?.create(aPersona({ appearance: secret, style_preferences: { secret } }))
    const id = created?.body.id ?? ''
    const updated = await connection?.update(id, { personality: secret })
    expect([created?.status, updated?.status]).toEqual([201, 200])
    const statement = (start: string) => () => server.lines.find(({ msg }) => msg.startsWith(`SQL ${start}`))
    for (const start of ['INSERT INTO "public"."personas"', 'UPDATE personas SET']) {
      const line = await until(`${start} is logged`, statement(start))
      expect(line).toMatchObject({ worker: 1, durationMs: expect.any(Number) })
    }
    await server.stop()
    expect(server.linesWith(WAL_LINE)).toEqual([])
    expect(server.output).not.toContain(secret)
    expect(server.output.replaceAll(`/personas/${id}`, '')).not.toContain(id)
  })
})
