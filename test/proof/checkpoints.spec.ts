import { setTimeout as delay } from 'node:timers/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { withDatabase } from '../processes/database-file.js'
import { Sandbox } from '../processes/sandbox.js'
import { ForeignProcess } from './foreign-process.js'
import { Ledger } from './ledger.js'
import { Load } from './load.js'
import { saySeed, scale, say } from './scale.js'

const WORKERS = 4
const WRITERS = 16
const FEWEST_CHECKPOINTS = 10

describe('checkpoints every few milliseconds against four writing processes', () => {
  const sandbox = new Sandbox()
  let load: Load | undefined
  let checkpointer: ForeignProcess | undefined
  afterEach(async () => {
    await load?.stop()
    await checkpointer?.end()
    await sandbox.clear()
  })

  it(
    'lose nothing',
    async () => {
      saySeed()
      const folder = sandbox.folder()
      const server = await sandbox.start({ folder, workers: WORKERS })
      const ledger = new Ledger()
      load = new Load({ ledger, writers: WRITERS, connect: () => sandbox.connect(server), name: 'Checkpoint' })
      checkpointer = await ForeignProcess.start('checkpointer.mjs', join(folder, 'gator.db'))
      // The length of the proof, not a wait for anything.
      await delay(scale.checkpointsMs)
      const completed = JSON.parse((await checkpointer.end())[0] ?? '{}') as Record<string, number>
      await load.stop()
      expect(await server.stop()).toEqual({ code: 0, signal: null })
      say(`checkpoints ${JSON.stringify(completed)}, acknowledged ${ledger.total('acknowledged')}`)
      expect(withDatabase(folder, (database) => ledger.judge(database))).toEqual([])
      expect(ledger.total('refused') + ledger.total('unknown')).toBe(0)
      expect(Object.keys(completed)).toHaveLength(3)
      expect(Math.min(...Object.values(completed))).toBeGreaterThan(FEWEST_CHECKPOINTS)
    },
    scale.testTimeoutMs + scale.checkpointsMs,
  )
})
