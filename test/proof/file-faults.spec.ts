import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { aPersona } from '../processes/a-persona.js'
import type { Answer, Connection } from '../processes/connection.js'
import { withDatabase } from '../processes/database-file.js'
import { Sandbox } from '../processes/sandbox.js'
import type { ServerProcess } from '../processes/server.js'
import { migrateSqlite } from '../support/sqlite.js'
import { Ledger } from './ledger.js'
import { hasNamespaces, launchWith } from './namespace.js'
import { saySeed } from './scale.js'

const START_GIVEN_UP_WITHIN_MS = 10_000
/** Two looks, each up to 2 s later, and an orderly stop. */
const NOTICED_WITHIN_MS = 6_000
const RANDOM_BYTES = 65_536
const READ_ONLY_FILE = hasNamespaces
  ? 'mount --bind gator.db gator.db && mount -o remount,ro,bind gator.db'
  : 'chmod 400 gator.db'
const READ_ONLY_FOLDER = hasNamespaces
  ? 'mount --bind . . && mount -o remount,ro,bind "$PWD" && cd "$PWD"'
  : 'chmod 500 .'

interface StartFault {
  readonly title: string
  readonly spoil?: (file: string) => void
  readonly setup?: string
  readonly env?: Readonly<Record<string, string>>
  readonly message: RegExp
}

const startFaults: readonly StartFault[] = [
  {
    title: 'is not a database',
    spoil: (file) => writeFileSync(file, randomBytes(RANDOM_BYTES)),
    message: /gator\.db.*SQLITE_NOTADB/,
  },
  {
    title: 'is truncated to half',
    spoil: (file) => truncateSync(file, statSync(file).size / 2),
    message: /gator\.db.*SQLITE_CORRUPT/,
  },
  { title: 'is read-only', setup: READ_ONLY_FILE, message: /gator\.db.*SQLITE_READONLY/ },
  {
    title: 'is in a folder that cannot be written to',
    setup: READ_ONLY_FOLDER,
    message: /gator\.db.*SQLITE_(CANTOPEN|READONLY)/,
  },
  {
    title: 'is a folder',
    spoil: (file) => {
      rmSync(file)
      mkdirSync(file)
    },
    message: /gator\.db.*SQLITE_CANTOPEN/,
  },
  {
    title: 'is missing, as is its folder, which cannot be made',
    env: { DATABASE_URL: 'file:./gator.db/below-a-file/new.db' },
    message: /cannot be opened: ENOTDIR.*below-a-file/,
  },
  {
    title: 'is missing, as is its folder, and nothing is to be made',
    env: { DATABASE_URL: 'file:./nowhere/new.db', MIGRATE_ON_START: 'false' },
    message: /is behind the code.*prisma migrate deploy/,
  },
]

/** Makes the files of a database immutable (`+i`), or changeable again (`-i`). */
function freeze(attribute: '+i' | '-i', folder: string): void {
  const files = ['', '-wal', '-shm'].map((suffix) => join(folder, `gator.db${suffix}`))
  spawnSync('chattr', [attribute, ...files.filter((file) => existsSync(file))], { stdio: 'ignore' })
}

/** Whether this user may make a file immutable, and its file system can. */
const canFreeze = mayFreeze()

function mayFreeze(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'gator-freeze-'))
  const file = join(folder, 'gator.db')
  writeFileSync(file, '')
  try {
    freeze('+i', folder)
    writeFileSync(file, 'changed')
    return false
  } catch {
    return true
  } finally {
    freeze('-i', folder)
    rmSync(folder, { recursive: true })
  }
}

describe('a database file that cannot be served', () => {
  const sandbox = new Sandbox()
  afterEach(() => sandbox.clear())

  it.each(startFaults.flatMap((fault) => [1, 2].map((workers) => ({ ...fault, workers }))))(
    'because it $title ends the start, once, with a clear message (workers: $workers)',
    async ({ spoil, setup = 'true', env = {}, workers, message }) => {
      const folder = sandbox.folder()
      spoil?.(join(folder, 'gator.db'))
      const start = performance.now()
      const server = launchWith(sandbox.emptyFolder(), setup, () => sandbox.launch({ folder, workers, env }))
      expect(await server.closed).toEqual({ code: 1, signal: null })
      expect(performance.now() - start).toBeLessThan(START_GIVEN_UP_WITHIN_MS)
      expect(server.stderr).toMatch(message)
      // For a person: one line, no stack, and no worker that tried again.
      expect(server.stderr.trimEnd().split('\n')).toHaveLength(1)
      expect(server.linesWith('a worker died and is started again')).toEqual([])
    },
  )
})

interface RunningFault {
  readonly title: string
  /** Makes what takes the place of the file, which is put aside; nothing does when it is undefined. */
  readonly make?: (file: string) => void
}

const runningFaults: readonly RunningFault[] = [
  { title: 'was replaced by another database', make: migrateSqlite },
  {
    title: 'was replaced by something that is not a database',
    make: (file) => writeFileSync(file, randomBytes(RANDOM_BYTES)),
  },
  { title: 'was removed' },
]

describe('a database file under a running server', () => {
  const sandbox = new Sandbox()
  const ledger = new Ledger()
  let folder: string
  let file: string
  let server: ServerProcess
  let connections: Connection[]

  beforeAll(async () => {
    saySeed()
    folder = sandbox.folder()
    file = join(folder, 'gator.db')
    server = await sandbox.start({ folder, workers: 2 })
    connections = await sandbox.connectToEachWorker(server, 2)
  })
  afterAll(async () => {
    if (canFreeze) freeze('-i', folder)
    await sandbox.clear()
  })

  let creations = 0
  const create = (connection: Connection) => ledger.create(connection, `Persona ${++creations}`)

  async function expectToServe(): Promise<void> {
    for (const connection of connections) {
      expect((await create(connection)).fate).toBe('acknowledged')
      expect((await connection.request('GET', '/health/ready')).status).toBe(200)
    }
  }

  it.each(runningFaults)(
    'that $title is noticed: writes are refused, the server is not ready, and it serves again when the file is back',
    async ({ make }) => {
      await expectToServe()
      // Elsewhere: who opens a database here finds the log of the one that is served.
      const other = join(sandbox.emptyFolder(), 'other.db')
      make?.(other)
      renameSync(file, `${file}-aside`)
      if (make) renameSync(other, file)
      for (const connection of connections) {
        expectUnavailable((await create(connection)).answer, 'The database file was replaced or removed.')
        expect((await connection.request('GET', '/health/ready')).status).toBe(503)
        expect((await connection.request('GET', '/health/live')).status).toBe(200)
      }
      renameSync(`${file}-aside`, file)
      await expectToServe()
    },
  )

  // A mode would not do: what is open stays writable, and nothing is forbidden to root.
  const itIfItCanFreeze = canFreeze ? it : it.skip
  itIfItCanFreeze(
    'that became read-only (chattr +i) refuses writes, serves reads, and takes writes again when it is writable',
    async () => {
      await expectToServe()
      freeze('+i', folder)
      for (const connection of connections) {
        const detail = /^The database file cannot be used \(SQLITE_(IOERR_WRITE|READONLY)\)\.$/
        expectUnavailable((await create(connection)).answer, expect.stringMatching(detail))
        expect((await connection.request('GET', '/api/v1/personas')).status).toBe(200)
        expect((await connection.request('GET', '/health/live')).status).toBe(200)
      }
      freeze('-i', folder)
      await expectToServe()
    },
  )

  it('has, after all of that, what was acknowledged and nothing that was refused, and no worker died', async () => {
    expect(server.linesWith('a worker died and is started again')).toEqual([])
    expect(await server.stop()).toEqual({ code: 0, signal: null })
    expect(withDatabase(folder, (database) => ledger.judge(database))).toEqual([])
    expect(ledger.total('refused')).toBeGreaterThan(0)
  })
})

describe('a database file that stays away from a running server', () => {
  const sandbox = new Sandbox()
  afterEach(() => sandbox.clear())

  it('that was replaced ends a server of one process too, and is served by no worker that is forked later', async () => {
    const single = { folder: sandbox.folder() }
    const alone = await sandbox.start(single)
    const folder = sandbox.folder()
    const server = await sandbox.start({ folder, workers: 2 })
    const movedAt = performance.now()
    renameSync(join(sandbox.folder(), 'gator.db'), join(single.folder, 'gator.db'))
    const pids = await server.workerPids()
    renameSync(join(sandbox.folder(), 'gator.db'), join(folder, 'gator.db'))
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    expect(await server.closed).toEqual({ code: 1, signal: null })
    expect(server.linesWith('listening')).toHaveLength(2)
    expect(await alone.closed).toEqual({ code: 1, signal: null })
    expect(alone.linesWith('the database cannot be used any more: stopping')).toHaveLength(1)
    expect(performance.now() - movedAt).toBeLessThan(NOTICED_WITHIN_MS)
  })
})

describe('the log of a database that was replaced', () => {
  const sandbox = new Sandbox()
  afterEach(() => sandbox.clear())

  it('is kept aside when the server ends, and the one that replaced it is served whole by the next', async () => {
    const folder = sandbox.folder()
    const file = join(folder, 'gator.db')
    const server = await sandbox.start({ folder, workers: 2 })
    const connection = sandbox.connect(server)
    const kept = new Ledger()
    for (let n = 0; n < 200; n++) await kept.create(connection, `Old ${n}`)
    // A copy of an earlier state, other pages and all: what a log of the old one would ruin.
    renameSync(join(sandbox.folder(), 'gator.db'), file)
    // A request in flight must not keep the server from ending.
    const { hostname, port } = new URL(server.url)
    const held = connect(Number(port), hostname)
    held.on('error', () => undefined)
    held.write(
      'POST /api/v1/personas HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
    )
    const movedAt = performance.now()
    expect(await server.closed).toEqual({ code: 1, signal: null })
    expect(performance.now() - movedAt).toBeLessThan(NOTICED_WITHIN_MS)
    held.destroy()
    const aside = readdirSync(folder).filter((name) => name.includes('.orphaned-'))
    expect(aside.map((name) => name.replace(/\.orphaned-.*/, '')).sort()).toEqual(['gator.db-shm', 'gator.db-wal'])
    const next = await sandbox.start({ folder })
    const ledger = new Ledger()
    expect((await ledger.create(sandbox.connect(next), 'New')).fate).toBe('acknowledged')
    expect(await next.stop()).toEqual({ code: 0, signal: null })
    expect(withDatabase(folder, (database) => ledger.judge(database))).toEqual([])
  })

  it('is not opened anew by a worker that is forked when it is gone', async () => {
    const folder = sandbox.folder()
    const server = await sandbox.start({ folder, workers: 2 })
    const ledger = new Ledger()
    const connection = sandbox.connect(server)
    for (let n = 0; n < 5; n++) await ledger.create(connection, `Before ${n}`)
    for (const suffix of ['-wal', '-shm']) rmSync(join(folder, `gator.db${suffix}`))
    process.kill((await server.workerPids())[0] ?? 0, 'SIGKILL')
    let isOver = false
    void server.closed.then(() => (isOver = true))
    for (let n = 0; !isOver; n++) {
      const late = sandbox.connect(server)
      await ledger.create(late, `After ${n}`, 1_000)
      late.close()
    }
    expect(await server.closed).toEqual({ code: 1, signal: null })
    expect(withDatabase(folder, (database) => ledger.judge(database))).toEqual([])
  })
})

describe('a database file that is damaged under a running server', () => {
  const sandbox = new Sandbox()
  let file: string
  let server: ServerProcess
  let connections: Connection[]

  beforeAll(async () => {
    const folder = sandbox.folder()
    file = join(folder, 'gator.db')
    server = await sandbox.start({ folder, workers: 2 })
    connections = await sandbox.connectToEachWorker(server, 2)
  })
  afterAll(() => sandbox.clear())
  afterEach(async () => {
    for (const connection of connections) expect((await connection.request('GET', '/health/live')).status).toBe(200)
    expect(server.linesWith('a worker died and is started again')).toEqual([])
  })

  it('by being cut to half answers what it can, and says of the rest that the database is unavailable', async () => {
    truncateSync(file, statSync(file).size / 2)
    const statuses: number[] = []
    for (const connection of connections) {
      statuses.push((await connection.create(aPersona())).status)
      statuses.push((await connection.request('GET', '/api/v1/personas')).status)
    }
    for (const status of statuses) expect([200, 201, 503]).toContain(status)
    expect(statuses).toContain(503)
  })

  it('by being written over says that the database is unavailable', async () => {
    writeFileSync(file, randomBytes(RANDOM_BYTES))
    const detail = expect.stringMatching(/^The database file cannot be used \(SQLITE_(NOTADB|CORRUPT)\)\.$/)
    for (const connection of connections) {
      expectUnavailable(await connection.request('GET', '/api/v1/personas'), detail)
    }
  })

  it('by being written over is not ready', async () => {
    for (const connection of connections) {
      expect((await connection.request('GET', '/health/ready')).status).toBe(503)
    }
  })
})

function expectUnavailable(answer: Answer | undefined, detail: unknown): void {
  const { status, headers, body } = answer ?? {}
  expect({ status, type: body?.['type'], detail: body?.['detail'], retry: headers?.['retry-after'] }).toEqual({
    status: 503,
    type: expect.stringContaining('database-unavailable'),
    detail,
    retry: expect.stringMatching(/^\d+$/),
  })
}
