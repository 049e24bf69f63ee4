import { parentPort, workerData } from 'node:worker_threads'
import { openBetterSqlite3 } from '../driver.js'
import { applyPragmas } from '../pragmas.js'
import { Checkpointer } from './checkpointer.js'
import type { CheckpointNews, CheckpointThreadOptions } from './messages.js'

// The thread of CheckpointThread: it serves nobody, so that it may wait.

/** How long a checkpoint may keep the writers waiting for a reader; what it copies comes on top. */
const BUSY_TIMEOUT_MS = 20
const LOOK_EVERY_MS = 1_000
/** While there is something to do: a burst fills many megabytes in a second. */
const LOOK_OFTEN_MS = 200

if (!parentPort) throw new Error('This is a thread of the server, and no program.')
const port = parentPort
const { file, synchronous, limits } = workerData as CheckpointThreadOptions
const tell = (news: CheckpointNews): void => port.postMessage(news)

const driver = openBetterSqlite3(file, {
  readonly: false,
  mustExist: true,
  timeoutMs: BUSY_TIMEOUT_MS,
})
applyPragmas(driver, 'writer', { busyTimeoutMs: BUSY_TIMEOUT_MS, synchronous, autocheckpointPages: 0 })
const checkpointer = new Checkpointer(
  driver,
  limits,
  {
    onLook: (event) => tell({ call: 'onLook', event }),
    onCheckpoint: (event) => tell({ call: 'onCheckpoint', event }),
    onPinned: (event) => tell({ call: 'onPinned', event }),
    onGrown: (event) => tell({ call: 'onGrown', event }),
  },
  performance.now(),
)

let timer: NodeJS.Timeout
function look(): void {
  const isAtWork = checkpointer.look(performance.now())
  timer = setTimeout(look, isAtWork ? LOOK_OFTEN_MS : LOOK_EVERY_MS)
}

port.once('message', () => {
  clearTimeout(timer)
  driver.close()
  port.close()
})
look()
