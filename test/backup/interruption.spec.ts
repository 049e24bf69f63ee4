import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { BackupAbortedError, BackupBusyError } from '../../src/backup/backup-errors.js'
import { listBackups } from '../../src/backup/folder.js'
import { restoreBackup } from '../../src/backup/restore.js'
import { takeBackup, verifyBackup } from '../../src/backup/take-backup.js'
import { withDatabase } from '../processes/database-file.js'
import { findDamage } from '../proof/oracles.js'
import { Sandbox } from '../processes/sandbox.js'
import { until } from '../processes/until.js'
import { backupsIn, settingsOf } from './support.js'

const GATOR = join(process.cwd(), 'dist', 'bundle', 'gator.js')
const ROWS = 60_000
const TIMEOUT_MS = 60_000

describe('an interrupted backup', () => {
  const sandbox = new Sandbox()
  afterEach(() => sandbox.clear())

  /** A folder with a database that takes long enough to copy. */
  function largeDatabase(): string {
    const folder = sandbox.folder()
    withDatabase(folder, (database) => {
      database.exec(`
        INSERT INTO personas (id, name, appearance, personality, created_at, updated_at)
        WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${ROWS})
        SELECT printf('%08d', n), 'Sarah', hex(randomblob(400)), 'curious', '2026-01-01T00:00:00.000+00:00', '2026-01-01T00:00:00.000+00:00'
        FROM n`)
    })
    return folder
  }

  it(
    'leaves nothing that looks whole, however it ends, and keeps no other from its work',
    async () => {
      const folder = largeDatabase()
      const settings = settingsOf(`file:${join(folder, 'gator.db')}`, folder, { BACKUP_KEEP: '1' })
      const backups = backupsIn(folder)
      const partials = () => readdirSync(backups).filter((name) => name.includes('.partial'))
      writeFileSync(join(backups, 'gator-20200101T000000.000Z-00000000.db'), 'somebody put this here')
      const others = readdirSync(backups)

      const victim = launch(folder, 'backup')
      await killedOnce(victim, 'the copy grows', () => partials().some((name) => sizeOf(join(backups, name)) > 0))
      expect(partials()).not.toEqual([])
      expect(listBackups(backups)).toEqual([])

      const stopping = new AbortController()
      const stopped = takeBackup(settings, {
        signal: stopping.signal,
        onProgress: ({ phase, done }) => {
          if (phase === 'copying' && done > 0) stopping.abort()
        },
      })
      await expect(stopped).rejects.toThrow(BackupAbortedError)
      expect(partials()).toEqual([])

      let second: Promise<unknown> | undefined
      const { name, file } = await takeBackup(settings, {
        onProgress: () => {
          second ??= takeBackup(settings).catch((error: unknown) => error)
        },
      })
      expect(await second).toBeInstanceOf(BackupBusyError)
      expect(listBackups(backups).map((backup) => backup.name)).toEqual([name])
      expect((await verifyBackup(file)).rows['personas']).toBe(ROWS)

      // One is kept: the older one makes room, and nothing else.
      const { removed } = await takeBackup(settings)
      expect(removed).toEqual([name])
      expect(readdirSync(backups)).toEqual(expect.arrayContaining(others))
      expect(readdirSync(backups).filter((left) => !left.startsWith('.'))).toHaveLength(others.length + 2)
    },
    TIMEOUT_MS,
  )

  it(
    'is like a restore that was killed: the database is whole, and the next one succeeds',
    async () => {
      const folder = largeDatabase()
      const settings = settingsOf(`file:${join(folder, 'gator.db')}`, folder)
      const { file } = await takeBackup(settings)
      withDatabase(folder, (database) => database.exec('DELETE FROM personas WHERE rowid > 10'))
      const copies = () => readdirSync(folder).filter((name) => name.includes('.partial'))
      const personas = () =>
        withDatabase(folder, (database) => {
          return [...findDamage(database), database.prepare('SELECT count(*) FROM personas').pluck().get()]
        })

      const victim = launch(folder, 'restore', file)
      await killedOnce(victim, 'the copy grows', () => copies().some((name) => sizeOf(join(folder, name)) > 0))
      expect(copies()).toHaveLength(1)
      expect(personas()).toEqual([10])
      await restoreBackup(settings, file)
      expect(copies()).toEqual([])
      expect(personas()).toEqual([ROWS])
    },
    TIMEOUT_MS,
  )
})

/** The command in a process group of its own. */
function launch(folder: string, ...words: string[]): ChildProcess {
  return spawn(process.execPath, [GATOR, ...words], {
    cwd: folder,
    env: { PATH: process.env['PATH'], DATABASE_URL: 'file:./gator.db', BACKUP_DIRECTORY: 'backups' },
    detached: true,
    stdio: 'ignore',
  })
}

/** Kills the whole group when a condition has come. */
async function killedOnce(victim: ChildProcess, what: string, condition: () => boolean): Promise<void> {
  const exit = once(victim, 'exit')
  await until(what, condition)
  process.kill(-(victim.pid ?? NaN), 'SIGKILL')
  expect(await exit).toEqual([null, 'SIGKILL'])
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
