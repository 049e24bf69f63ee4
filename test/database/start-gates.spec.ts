import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import BetterSqlite3 from 'better-sqlite3'
import { type FileSystem, fileSystemOf } from '../../src/database/sqlite/file-system.js'
import { lockFault } from '../../src/database/sqlite/lock-probe.js'
import { passLockGate, passStartGates, StartRefusedError } from '../../src/database/sqlite/start-gates.js'
import { type TemporarySqlite, temporarySqlite } from '../support/sqlite.js'

let database: TemporarySqlite

beforeEach(() => {
  database = temporarySqlite()
})
afterEach(() => database.remove())

const local: FileSystem = { name: 'ext2/3/4', verdict: 'ok', reason: '' }
const nfs: FileSystem = { name: 'NFS', verdict: 'refuse', reason: 'it has no locks' }
const tmpfs: FileSystem = { name: 'tmpfs', verdict: 'warn', reason: 'it is in memory' }

function pass(on: FileSystem, options: { minFreeDiskBytes?: number; allowUnsafeFileSystem?: boolean } = {}): string[] {
  const file = join(database.folder, 'a', 'b.db')
  return passStartGates({ file, minFreeDiskBytes: 0, allowUnsafeFileSystem: false, ...options, lookUp: () => on })
}

describe('before anything is written', () => {
  it('a local disk with room is let through, and the folder is made', () => {
    expect(pass(local)).toEqual([])
    expect(readdirSync(join(database.folder, 'a'))).toEqual([])
  })

  it('a file system whose locks do not hold is refused by name, unless it is asked for', () => {
    expect(() => pass(nfs)).toThrow(StartRefusedError)
    expect(() => pass(nfs)).toThrow(/would be on NFS: it has no locks.*ALLOW_UNSAFE_FILE_SYSTEM=true/)
    expect(pass(nfs, { allowUnsafeFileSystem: true })).toEqual(['The database is on NFS: it has no locks.'])
  })

  it('one that forgets is warned of', () => {
    expect(pass(tmpfs)).toEqual(['The database is on tmpfs: it is in memory.'])
  })

  it('too little room is refused', () => {
    expect(() => pass(local, { minFreeDiskBytes: Number.MAX_SAFE_INTEGER })).toThrow(
      /There are \d+ bytes left.*DISK_FREE_MIN_BYTES asks for 9007199254740991/,
    )
  })

  it('the file system of this folder is one that is known', () => {
    expect(fileSystemOf(database.folder)).toMatchObject({ verdict: expect.stringMatching(/^(ok|warn)$/) })
    if (process.platform === 'linux') expect(fileSystemOf('/proc').name).toBe('0x9fa0')
  })
})

describe('the lock probe', () => {
  const scratch = () => join(database.folder, 'scratch.db')
  /** A second process that says that it has the lock. */
  const liar = () => {
    const program = join(database.folder, 'liar.cjs')
    writeFileSync(program, "process.stdout.write('held'); process.stdin.resume()")
    return program
  }

  it('finds nothing wrong where locks hold', async () => {
    expect(await lockFault(scratch())).toBeUndefined()
  })

  it('notices that two processes get the lock at once', async () => {
    expect(await lockFault(scratch(), liar())).toMatch(/at the same time/)
  })

  it('notices a lock that stays when its process is killed', async () => {
    const other = new BetterSqlite3(scratch())
    other.exec('BEGIN IMMEDIATE')
    expect(await lockFault(scratch(), liar())).toMatch(/stayed/)
    other.close()
  })

  it('tells why it cannot be tried out', async () => {
    expect(await lockFault(join(database.folder, 'nowhere', 'scratch.db'))).toMatch(
      /could not be tried out \(.*directory/,
    )
  })

  it('refuses the start with what it finds, and leaves nothing behind', async () => {
    const { file } = database
    const removed: string[] = []
    const gate = (fault?: string) =>
      passLockGate({ file, remove: (path) => void removed.push(path), tryLocks: () => Promise.resolve(fault) })
    await expect(gate()).resolves.toBeUndefined()
    await expect(gate('they do not hold')).rejects.toThrow(/Locks do not work in .*: they do not hold\./)
    expect(removed).toEqual(Array.from({ length: 2 }, () => `${file}-lock-probe-${process.pid}`))
  })
})
