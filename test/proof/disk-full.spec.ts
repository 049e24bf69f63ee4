import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { withDatabase } from '../processes/database-file.js'
import { Sandbox } from '../processes/sandbox.js'
import type { ServerProcess } from '../processes/server.js'
import { until } from '../processes/until.js'
import { Ledger, type Outcome } from './ledger.js'
import { Load } from './load.js'
import { hasNamespaces, launchWith } from './namespace.js'
import { saySeed, scale, say } from './scale.js'
import { quantile, summary } from './statistics.js'

const WORKERS = 2
const WRITERS = 4
const ENOUGH_WRITES = 200
const ANSWER_WITHIN_MS = 100
const INSUFFICIENT_STORAGE = 507
const READS = 50
const DISK = 'disk'
/** What a server that is to be called ready must have left. */
const LITTLE_BYTES = 1_048_576
const BALLAST = 'ballast'
const BLOCK = Buffer.alloc(1024 * 1024)
const PAGE = 4096

/** A disk of a server's own that can be filled up, and the way of this process to what is on it. */
interface SmallDisk {
  /** What the server runs before it begins. */
  readonly setup: string
  fill(server: ServerProcess, folder: string): Promise<void>
  free(server: ServerProcess, folder: string): Promise<void>
  /** Where the server's disk is, as long as the server runs. */
  path(server: ServerProcess, folder: string): string
}

/** A real file system that is too small; only the server's processes see it. */
const tmpfs: SmallDisk = {
  setup: `mount -t tmpfs -o size=48m none ${DISK} && cp gator.db ${DISK}/`,
  fill(server, folder) {
    const ballast = openSync(join(this.path(server, folder), BALLAST), 'a')
    try {
      // To the last page: what fits is not full yet.
      for (const block of [BLOCK, BLOCK.subarray(0, PAGE)]) {
        try {
          for (;;) writeSync(ballast, block)
        } catch (error) {
          if (!(error as { code?: string }).code?.startsWith('ENOSPC')) throw error
        }
      }
    } finally {
      closeSync(ballast)
    }
    return Promise.resolve()
  },
  free(server, folder) {
    rmSync(join(this.path(server, folder), BALLAST))
    return Promise.resolve()
  },
  path: ({ pid }, folder) => `/proc/${pid}/root${join(folder, DISK)}`,
}

/** Where nobody may mount: no file of the server's may grow beyond what the log has now. */
const fileSizeLimit: SmallDisk = {
  setup: `cp gator.db ${DISK}/`,
  fill: (server) => limitFiles(server, '1024'),
  free: (server) => limitFiles(server, 'unlimited'),
  path: (_server, folder) => join(folder, DISK),
}

async function limitFiles(server: ServerProcess, size: string): Promise<void> {
  for (const pid of await server.workerPids())
    execFileSync('prlimit', ['--pid', String(pid), `--fsize=${size}:unlimited`])
}

const disk = hasNamespaces ? tmpfs : fileSizeLimit

describe('a disk that is full', () => {
  const sandbox = new Sandbox('SQLite', true)
  let load: Load | undefined
  afterEach(async () => {
    await load?.stop()
    await sandbox.clear()
  })

  it(
    `refuses writes at once, serves reads, loses nothing, and recovers without a restart (${hasNamespaces ? 'tmpfs' : 'file size limit'})`,
    async () => {
      saySeed()
      const folder = sandbox.folder()
      mkdirSync(join(folder, DISK))
      const env = { DATABASE_URL: `file:./${DISK}/gator.db`, DISK_FREE_MIN_BYTES: String(LITTLE_BYTES) }
      const server = await launchWith(folder, disk.setup, () =>
        sandbox.launch({ folder, workers: WORKERS, env }),
      ).ready()
      if (hasNamespaces) expect(server.output).toContain('The database is on tmpfs')
      // The disk is the server's alone, or it would be another one that is filled.
      if (hasNamespaces) expect(existsSync(join(folder, DISK, 'gator.db'))).toBe(false)
      const ledger = new Ledger()
      load = new Load({ ledger, writers: WRITERS, connect: () => sandbox.connect(server), name: 'Disk' })
      const { outcomes } = load
      await load.progress(ENOUGH_WRITES)

      await disk.fill(server, folder)
      const fullAt = performance.now()
      const refused = () => outcomes.filter(({ fate, at }) => fate === 'refused' && at > fullAt)
      await until('writes are refused', () => refused().length >= ENOUGH_WRITES)
      const statuses = await readsOf(sandbox, server, outcomes)
      const answers = refused().map(({ answer }) => answer)
      const readiness = await sandbox.connect(server).request('GET', '/health/ready')

      await disk.free(server, folder)
      const freedAt = performance.now()
      expect((await sandbox.connect(server).request('GET', '/health/ready')).status).toBe(200)
      await load.progress(ENOUGH_WRITES)
      const first = outcomes.find(({ fate, at }) => fate === 'acknowledged' && at > freedAt)
      await load.stop()
      const late = outcomes.filter(({ fate, at }) => fate === 'refused' && at > freedAt + ANSWER_WITHIN_MS)

      const durations = answers.map((answer) => answer?.durationMs ?? NaN)
      say(`refused while full: ${summary(durations)}`)
      say(`first write after it was freed: ${((first?.at ?? NaN) - freedAt).toFixed(1)} ms`)
      say(
        `acknowledged ${ledger.total('acknowledged')}, refused ${ledger.total('refused')}, codes ${codesIn(server).join(' ')}`,
      )
      expect(statuses).toEqual(Array.from({ length: READS }, () => 200))
      // A limit of file sizes leaves the disk as it is.
      expect(readiness).toMatchObject(
        hasNamespaces ? { status: 503, body: { reason: 'the disk is nearly full' } } : { status: 200 },
      )
      const expected = hasNamespaces ? [INSUFFICIENT_STORAGE] : expect.arrayContaining([expect.any(Number)])
      expect([...new Set(answers.map((answer) => answer?.status))]).toEqual(expected)
      for (const answer of answers) expect([503, INSUFFICIENT_STORAGE]).toContain(answer?.status)
      expect(quantile(durations, scale.promptShare)).toBeLessThanOrEqual(ANSWER_WITHIN_MS)
      expect(late).toEqual([])
      expect(ledger.total('unknown')).toBe(0)
      // Nobody writes any more; a copy of the files is the database, and outlasts the server's mount.
      for (const file of ['gator.db', 'gator.db-wal']) {
        copyFileSync(join(disk.path(server, folder), file), join(folder, file))
      }
      expect(await server.stop()).toEqual({ code: 0, signal: null })
      expect(withDatabase(folder, (database) => ledger.judge(database))).toEqual([])
    },
    scale.testTimeoutMs,
  )
})

/** The statuses of reads, one after another, of a persona that was made before. */
async function readsOf(sandbox: Sandbox, server: ServerProcess, outcomes: readonly Outcome[]): Promise<number[]> {
  const id = outcomes.find(({ fate }) => fate === 'acknowledged')?.answer?.body.id ?? ''
  const connection = sandbox.connect(server)
  const statuses: number[] = []
  for (let read = 0; read < READS; read++) statuses.push((await connection.read(id)).status)
  return statuses
}

/** The codes of SQLite that the server's log has. */
function codesIn(server: ServerProcess): string[] {
  return [...new Set(server.output.match(/SQLITE_[A-Z_]+/g) ?? [])]
}
