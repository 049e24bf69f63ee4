import { readFileSync, statSync } from 'node:fs'
import { afterAll, describe, expect, it } from '@jest/globals'
import { onEachDatabase } from '../support/databases.js'
import { EventListener } from '../support/event-listener.js'
import { aPersona } from './a-persona.js'
import type { Connection } from './connection.js'
import { Sandbox } from './sandbox.js'
import { until } from './until.js'

const TEXT_BYTES = 60_000
const WRITES = 240
const WRITES_AT_A_TIME = 6
const SLOW_LISTENERS = 12
/**
 * What 12 listeners that do not read may cost: each 64 KiB in its stream, and an event of 61 KB there and in the response,
 * 2.5 MB in all; and what the collector of garbage leaves of 240 writes and of the events that the system's own buffers
 * took, up to 180 MB. Without a bound it would be all 480 events for each of them besides: 350 MB.
 */
const MOST_GROWTH_BYTES = 240_000_000
/** Generous, for a machine that is busy with all of this: it is about whether who does not read stops the others. */
const MOST_DELAY_MS = 8_000
/** What does not end within ten seconds is cut off. */
const MOST_STOP_MS = 5_000
const TEST_TIMEOUT_MS = 60_000

function residentBytesOf(pid: number): number {
  return 1_024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

onEachDatabase((kind) => {
  describe('listeners that do not read', () => {
    const sandbox = new Sandbox(kind, true)
    const listeners: EventListener[] = []
    afterAll(async () => {
      for (const listener of listeners) listener.close()
      await sandbox.clear()
    })

    it(
      'hold neither memory nor the WAL, nor anybody up, and get everything when they read',
      async () => {
        const database = await sandbox.database()
        const server = await sandbox.start({ database })
        const listen = async (query = '', isSlow = false) => {
          const listener = await EventListener.open(server.url, { query })
          if (isSlow) listener.pause()
          listeners.push(listener)
          return listener
        }
        const connection = sandbox.connect(server)
        const large = { style_preferences: { text: 'x'.repeat(TEXT_BYTES) } }
        const { id } = (await connection.create(aPersona(large))).body
        const good = await listen()
        const start = good.lastId
        const early = await listen('', true)

        const acknowledged: number[] = []
        const write = async (writer: Connection) => {
          const { status } = await writer.request('POST', `/api/v1/personas/${id}/generations`)
          expect(status).toBe(200)
          acknowledged.push(performance.now())
        }
        const writers = Array.from({ length: WRITES_AT_A_TIME }, () => sandbox.connect(server))
        const writeAll = (count: number) =>
          Promise.all(
            writers.map(async (writer) => {
              for (let n = 0; n < count / WRITES_AT_A_TIME; n++) await write(writer)
            }),
          )
        await writeAll(WRITES)
        await good.received(WRITES)
        const before = residentBytesOf(server.pid)
        for (let n = 0; n < SLOW_LISTENERS; n++) await listen(`?after=${start}`, true)
        await writeAll(WRITES)
        const events = await good.received(2 * WRITES)
        expect(residentBytesOf(server.pid) - before).toBeLessThan(MOST_GROWTH_BYTES)

        const delays = events.map(({ at }, n) => at - (acknowledged[n] ?? 0))
        expect(Math.max(...delays)).toBeLessThan(MOST_DELAY_MS)
        if (kind === 'SQLite') await emptiesTheWal(connection, database.url.replace('file:', ''))

        for (const slow of [early, listeners.at(-1) as EventListener]) {
          expect(slow.events.length).toBeLessThan(WRITES)
          slow.resume()
          await slow.received(2 * WRITES)
          expect(slow.blocks.map(({ id: block }) => block)).toEqual(good.blocks.map(({ id: block }) => block))
        }
        // Those that still do not read are no reason to wait.
        const stopped = performance.now()
        expect((await server.stop()).code).toBe(0)
        expect(performance.now() - stopped).toBeLessThan(MOST_STOP_MS)
        await until('the streams have ended', () => [good, early].every(({ ending }) => ending !== undefined))
        expect([good.ending, early.ending]).toEqual(['in order', 'in order'])
      },
      TEST_TIMEOUT_MS,
    )

    async function emptiesTheWal(connection: Connection, file: string): Promise<void> {
      const body = { mode: 'truncate' }
      const answer = await connection.request('POST', '/api/v1/admin/database/checkpoint', { body })
      expect(answer.status).toBe(200)
      expect(statSync(`${file}-wal`).size).toBe(0)
    }
  })
})
