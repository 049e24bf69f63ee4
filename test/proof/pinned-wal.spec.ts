import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from '@jest/globals'
import { withDatabase } from '../processes/database-file.js'
import { Sandbox } from '../processes/sandbox.js'
import { until } from '../processes/until.js'
import { ForeignProcess } from './foreign-process.js'
import { Ledger } from './ledger.js'
import { Load } from './load.js'
import { saySeed, scale, say } from './scale.js'
import { quantile, summary } from './statistics.js'

const WORKERS = 2
/** Together about 500 writes a second, as far as the machine gives them. */
const WRITERS = 20
const REST_MS = 30
const CHECKPOINT_BYTES = 262_144
const TRUNCATE_BYTES = 2_097_152
/** Between two looks a burst may write so much more. */
const BOUND_BYTES = 4 * TRUNCATE_BYTES
const BACK_WITHIN_MS = 10_000
const PROMPT_MS = 200
/** How long a checkpoint may stop the writers. */
const STOPPED_MS = 100

describe('a reader that does not let go, under load', () => {
  const sandbox = new Sandbox('SQLite', true)
  let load: Load | undefined
  let reader: ForeignProcess | undefined
  afterEach(async () => {
    await load?.stop()
    await reader?.end()
    await sandbox.clear()
  })

  it(
    'lets the WAL grow, is named, stops no writer, and leaves a WAL that is small again',
    async () => {
      saySeed()
      const folder = sandbox.folder()
      const env = {
        CHECKPOINT_BYTES: String(CHECKPOINT_BYTES),
        CHECKPOINT_TRUNCATE_BYTES: String(TRUNCATE_BYTES),
        LOG_LEVEL: 'debug',
      }
      const server = await sandbox.start({ folder, workers: WORKERS, env })
      const walBytes = () => statSync(join(folder, 'gator.db-wal')).size
      const stops = () => server.linesWith('checkpoint').filter(({ mode }) => mode !== 'PASSIVE')
      const begunAnew = () => stops().filter(({ outcome }) => outcome === 'ok')
      const ledger = new Ledger()
      load = new Load({
        ...{ ledger, writers: WRITERS, restMs: REST_MS, name: 'Pinned' },
        connect: () => sandbox.connect(server),
      })
      await until('the WAL begins anew twice under load', () => begunAnew().length >= 2)
      const largestFree = walBytes()

      reader = await ForeignProcess.start('hold-snapshot.mjs', join(folder, 'gator.db'))
      const { pid } = reader
      const pinnedAt = performance.now()
      const warning = await server.line(
        'the WAL is pinned: a reader keeps it from being copied, and it grows with each write',
      )
      expect(warning).toMatchObject({ readers: expect.arrayContaining([{ pid, command: expect.any(String) }]) })
      // The length of the proof, not a wait for anything.
      await delay(Math.max(0, scale.pinnedMs - (performance.now() - pinnedAt)))
      const largestPinned = walBytes()

      const releasedAt = performance.now()
      await reader.end()
      const before = begunAnew().length
      await until('the WAL begins anew', () => begunAnew().length > before, BACK_WITHIN_MS)
      await until('the WAL is small again', () => walBytes() <= BOUND_BYTES, BACK_WITHIN_MS)
      await load.stop()
      const durations = stops().map(({ durationMs }) => Number(durationMs))
      say(`WAL: ${largestFree} bytes under load, ${largestPinned} bytes pinned for ${scale.pinnedMs} ms`)
      const afterwards = load.outcomes
        .filter(({ at }) => at > releasedAt)
        .map(({ answer }) => answer?.durationMs ?? NaN)
      say(`writes since the reader let go: ${summary(afterwards)}`)
      say(
        `writers stopped: ${summary(durations)}; writes: ${summary(load.outcomes.map(({ answer }) => answer?.durationMs ?? NaN))}`,
      )
      expect(largestFree).toBeLessThanOrEqual(BOUND_BYTES)
      expect(largestPinned).toBeGreaterThan(largestFree)
      // What has piled up is copied beside them.
      expect(quantile(afterwards, scale.promptShare)).toBeLessThanOrEqual(PROMPT_MS)
      expect(quantile(durations, scale.promptShare)).toBeLessThanOrEqual(STOPPED_MS)
      expect(await server.stop()).toEqual({ code: 0, signal: null })
      expect(withDatabase(folder, (database) => ledger.judge(database))).toEqual([])
      expect(ledger.total('refused') + ledger.total('unknown')).toBe(0)
    },
    scale.testTimeoutMs,
  )
})
