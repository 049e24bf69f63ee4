import { statSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import BetterSqlite3 from 'better-sqlite3'
import {
  type CheckpointHistory,
  type CheckpointLimits,
  type CheckpointMode,
  dueCheckpoint,
  pauseAfter,
  type WalState,
} from '../../src/database/sqlite/checkpoints/checkpoint-policy.js'
import { Checkpointer, type CheckpointReport } from '../../src/database/sqlite/checkpoints/checkpointer.js'
import { shrinkWal } from '../../src/database/sqlite/checkpoints/shrink-wal.js'
import { readersOf } from '../../src/database/sqlite/checkpoints/wal-readers.js'
import { type TemporarySqlite, temporarySqlite } from '../support/sqlite.js'
import { replaced } from './engine-support.js'

const PAGE = 4_096
const LIMITS = { passiveBytes: 100 * PAGE, truncateBytes: 1_000 * PAGE }
const SECOND = 1_000

describe('which checkpoint is due', () => {
  const wal = (fields: Partial<WalState>): WalState => {
    return { fileBytes: 0, frames: 0, checkpointed: 0, pageBytes: PAGE, ...fields }
  }
  const quiet: CheckpointHistory = { lastAt: 0, unchangedSince: 0, retryAt: -Infinity }

  it.each<[string, Partial<WalState>, Partial<CheckpointHistory>, number, CheckpointMode | null]>([
    ['nothing is in the WAL', {}, {}, 100 * SECOND, null],
    ['little has been written just now', { fileBytes: 1, frames: 99 }, {}, SECOND, null],
    ['enough has been written', { fileBytes: 1, frames: 100 }, {}, SECOND, 'PASSIVE'],
    ['all of it is copied', { fileBytes: 1, frames: 500, checkpointed: 500 }, {}, SECOND, null],
    ['little has waited for 30 s', { fileBytes: 1, frames: 1 }, {}, 30 * SECOND, 'PASSIVE'],
    ['much is in use', { fileBytes: 1, frames: 1_000, checkpointed: 999 }, {}, SECOND, 'RESTART'],
    ['much is in use, and all of it copied', { fileBytes: 1, frames: 1_000, checkpointed: 1_000 }, {}, SECOND, null],
    ['its file has grown, copied or not', { fileBytes: 4_000 * PAGE }, {}, SECOND, 'TRUNCATE'],
    ['nobody has written for a minute', { fileBytes: 1, frames: 1, checkpointed: 1 }, {}, 60 * SECOND, 'TRUNCATE'],
    ['the file is empty already', { fileBytes: 0 }, {}, 600 * SECOND, null],
    [
      'somebody was in the way',
      { fileBytes: 5_000 * PAGE, frames: 5_000 },
      { retryAt: 5 * SECOND },
      4 * SECOND,
      'PASSIVE',
    ],
    ['one has run this moment', { fileBytes: 1, frames: 500 }, { lastAt: 900 }, SECOND, null],
  ])('when %s', (_when, state, history, now, due) => {
    expect(dueCheckpoint(wal(state), LIMITS, { ...quiet, ...history }, now)).toBe(due)
  })

  it('waits longer each time that somebody is in the way', () => {
    expect([1, 2, 3, 5, 6, 60].map(pauseAfter)).toEqual([1_000, 2_000, 4_000, 16_000, 30_000, 30_000])
  })
})

describe('the checkpointer', () => {
  let file: TemporarySqlite
  const opened: BetterSqlite3.Database[] = []
  const open = () => {
    const database = new BetterSqlite3(file.file, { timeout: 0 })
    opened.push(database)
    return database
  }
  const walBytes = () => statSync(`${file.file}-wal`).size

  beforeEach(() => {
    file = temporarySqlite()
    const database = open()
    database.pragma('journal_mode = WAL')
    database.pragma('wal_autocheckpoint = 0')
    database.exec('CREATE TABLE t (value BLOB)')
  })
  afterEach(() => {
    for (const database of opened.splice(0)) database.close()
    file.remove()
  })

  /** Writes so many pages, one after another, so that each is a frame at least. */
  function write(pages: number): void {
    const insert = opened[0]?.prepare('INSERT INTO t VALUES (zeroblob(3500))')
    for (let page = 0; page < pages; page++) insert?.run()
  }

  function checkpointer(limits: CheckpointLimits = LIMITS, change = (driver: BetterSqlite3.Database) => driver) {
    const reports: CheckpointReport[] = []
    const told: { what: string; readers?: unknown }[] = []
    const made = new Checkpointer(
      change(open()),
      limits,
      {
        onCheckpoint: (report) => reports.push(report),
        onPinned: ({ readers }) => told.push({ what: 'pinned', readers }),
        onGrown: () => told.push({ what: 'grown' }),
      },
      0,
    )
    const modes = () => reports.map(({ mode, outcome }) => `${mode} ${outcome}`)
    return { look: (second: number) => made.look(second * SECOND), modes, reports, told }
  }

  it('makes a large file smaller in pieces, and leaves what others have written meanwhile', () => {
    write(500)
    const before = walBytes()
    const database = open()
    const piece = 100 * PAGE
    shrinkWal(database, piece)
    expect(before).toBeGreaterThan(500 * PAGE)
    expect(walBytes()).toBeLessThanOrEqual(2 * piece)
    write(3)
    expect(open().prepare('SELECT count(*) FROM t').pluck().get()).toBe(503)
    expect(open().pragma('integrity_check', { simple: true })).toBe('ok')
  })

  it.each([
    ['a reader', 'SELECT count(*) FROM t'],
    ['a writer', 'INSERT INTO t VALUES (0)'],
  ])('leaves a large file as it is beside %s', (_who, sql) => {
    write(500)
    const before = walBytes()
    const other = open()
    other.exec('BEGIN')
    const statement = other.prepare(sql)
    if (statement.reader) statement.get()
    else statement.run()
    write(statement.reader ? 1 : 0)
    const largest = walBytes()
    shrinkWal(open(), 100 * PAGE)
    expect(walBytes()).toBe(largest)
    expect(largest).toBeGreaterThanOrEqual(before)
    other.exec('ROLLBACK')
  })

  it('leaves a WAL that is small and young alone', () => {
    const { look, modes } = checkpointer()
    write(10)
    look(1)
    expect(modes()).toEqual([])
  })

  it('copies one that has enough in it', () => {
    const { look, reports, modes } = checkpointer()
    write(150)
    look(1)
    expect(modes()).toEqual(['PASSIVE ok'])
    expect(reports[0]?.checkpointed).toBe(reports[0]?.frames)
    expect(walBytes()).toBeGreaterThan(0)
  })

  it('has one begin anew in its file that has much in it, after it was copied', () => {
    const { look, modes } = checkpointer()
    write(1_100)
    const bytes = walBytes()
    look(1)
    expect(modes()).toEqual(['PASSIVE ok', 'RESTART ok'])
    look(2)
    expect(modes()).toHaveLength(2)
    write(1_000)
    expect(walBytes()).toBe(bytes)
    expect(open().prepare('SELECT count(*) FROM t').pluck().get()).toBe(2_100)
  })

  it('empties one whose file has grown, after it was copied', () => {
    const { look, modes } = checkpointer()
    write(4_100)
    look(1)
    expect(modes()).toEqual(['PASSIVE ok', 'TRUNCATE ok'])
    expect(walBytes()).toBe(0)
  })

  it('empties one that nobody writes to', () => {
    const { look, modes } = checkpointer()
    write(1)
    look(1)
    look(62)
    expect(modes()).toEqual(['PASSIVE ok', 'TRUNCATE ok'])
    expect(walBytes()).toBe(0)
  })

  it('does not stop the writers for a reader that is in the way, names it, and tries less and less often', () => {
    const { look, modes, told } = checkpointer()
    const reader = open()
    reader.exec('BEGIN')
    reader.prepare('SELECT count(*) FROM t').get()
    write(1_100)
    for (let second = 1; second <= 20; second++) look(second)
    // No RESTART, which would keep the lock; what stops nobody goes on, so that it is there when the reader lets go.
    expect(new Set(modes())).toEqual(new Set(['PASSIVE partial']))
    expect(modes().length).toBeGreaterThanOrEqual(20)
    const before = modes().length
    expect(told).toEqual([{ what: 'pinned', readers: [{ pid: process.pid, command: expect.any(String) }] }])
    reader.exec('COMMIT')
    look(52)
    expect(modes().slice(before)).toEqual(['PASSIVE ok', 'RESTART ok'])
  })

  it('does nothing but look when another program checkpoints', () => {
    const { look, modes } = checkpointer({ ...LIMITS, isLookOnly: true })
    write(1_100)
    expect(look(1)).toBe(true)
    expect(modes()).toEqual([])
  })

  it('tells of a WAL that grows, at each doubling', () => {
    const { look, told } = checkpointer({ passiveBytes: 10 * PAGE, truncateBytes: 20 * PAGE })
    const reader = open()
    reader.exec('BEGIN')
    reader.prepare('SELECT count(*) FROM t').get()
    for (let second = 1; second <= 4; second++) {
      write(50)
      look(second)
    }
    expect(told).toEqual([{ what: 'grown' }, { what: 'grown' }])
  })

  it('tells a checkpoint that fails from one that waits', () => {
    const { look, reports, modes } = checkpointer(LIMITS, (driver) =>
      replaced(driver, 'pragma', (source: string, options?: BetterSqlite3.PragmaOptions) => {
        if (source.includes('PASSIVE')) throw Object.assign(new Error('injected'), { code: 'SQLITE_IOERR' })
        return driver.pragma(source, options)
      }),
    )
    write(1_100)
    look(1)
    look(1.5)
    expect(modes()).toEqual(['PASSIVE error'])
    expect(reports[0]?.code).toBe('SQLITE_IOERR')
  })
})

describe('the readers of a WAL', () => {
  it('are the processes that lock one of its five marks', () => {
    const file = temporarySqlite()
    const database = new BetterSqlite3(file.file)
    database.pragma('journal_mode = WAL')
    database.exec('CREATE TABLE t (a)')
    const { ino } = statSync(`${file.file}-shm`)
    const line = (kind: string, pid: number, byte: number, inode = ino) =>
      `1: POSIX  ADVISORY  ${kind} ${pid} fe:00:${inode} ${byte} ${byte}`
    const locks = [
      line('READ ', 1, 124),
      line('READ ', 1, 127),
      line('READ ', 999_999_999, 123),
      line('READ ', 3, 128),
      line('WRITE', 4, 124),
      line('READ ', 5, 124, ino + 1),
      '2: FLOCK  ADVISORY  WRITE 6 fe:00:1 0 EOF',
    ].join('\n')
    expect(readersOf(file.file, locks)).toEqual([
      { pid: 1, command: expect.any(String) },
      { pid: 999_999_999, command: undefined },
    ])
    database.close()
    file.remove()
  })
})
