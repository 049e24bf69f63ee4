import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { pino } from 'pino'
import { databaseNameOf } from './manifest.js'
import { parseSettings } from '../config/settings.js'
import { BackupAbortedError, BackupBusyError, BackupError } from './backup-errors.js'
import { newBackupName } from './names.js'
import { BackupSchedule, type BackupStatus } from './schedule.js'
import type { FinishedBackup, takeBackup } from './take-backup.js'

/** What is backed up with the default settings. */
const DATABASE = databaseNameOf(parseSettings({}, false).database.target)
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

describe('BackupSchedule', () => {
  let directory: string
  let schedule: BackupSchedule | undefined
  let statuses: BackupStatus[]
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'gator-schedule-'))
    statuses = []
    jest.useFakeTimers({ now: Date.parse('2026-11-23T12:00:00Z') })
  })
  afterEach(async () => {
    await schedule?.stop()
    jest.useRealTimers()
    rmSync(directory, { recursive: true })
  })

  /** Puts a backup into the folder, as if it had been made so long ago. */
  function backUp(agoMs = 0, database = DATABASE): FinishedBackup {
    const at = new Date(Date.now() - agoMs)
    const name = newBackupName('sqlite', at)
    const manifest = {
      ...{
        format: 1 as const,
        gatorVersion: '0',
        dialect: 'sqlite' as const,
        database,
        databaseVersion: '3',
        rows: {},
      },
      ...{ newestPersona: null, migrations: [], bytes: 1, sha256: '0'.repeat(64) },
      ...{ startedAt: at.toISOString(), finishedAt: new Date(at.getTime() + 5).toISOString() },
    }
    const file = join(directory, name)
    writeFileSync(file, 'x')
    writeFileSync(`${file}.json`, JSON.stringify(manifest))
    return { name, file, manifest, removed: [] }
  }

  function start(take: typeof takeBackup, minutes = 60) {
    const settings = parseSettings({ BACKUP_DIRECTORY: directory, BACKUP_INTERVAL_MINUTES: String(minutes) }, false)
    const logger = pino({ level: 'silent' })
    schedule = new BackupSchedule({ settings, logger, take, onStatus: (status) => statuses.push(status) })
    schedule.start()
  }

  const taking = () => jest.fn<typeof takeBackup>(() => Promise.resolve(backUp()))

  it('does not take the backup of another database in the same folder for its own', async () => {
    backUp(MINUTE_MS, 'file:/elsewhere/other.db')
    const take = taking()
    start(take)
    await jest.advanceTimersByTimeAsync(0)
    expect(take).toHaveBeenCalledTimes(1)
  })

  it('begins where the newest backup says, and makes one each interval', async () => {
    backUp(HOUR_MS - 10 * MINUTE_MS)
    const take = taking()
    start(take)
    await jest.advanceTimersByTimeAsync(10 * MINUTE_MS - 1)
    expect(take).toHaveBeenCalledTimes(0)
    await jest.advanceTimersByTimeAsync(1)
    expect(take).toHaveBeenCalledTimes(1)
    await jest.advanceTimersByTimeAsync(2 * HOUR_MS)
    expect(take).toHaveBeenCalledTimes(3)
    await jest.advanceTimersByTimeAsync(1)
    expect(statuses.at(-1)).toEqual({
      lastSuccess: { at: Date.now() - 1 + 5, durationMs: 5, bytes: 1 },
      lastFailure: null,
    })
  })

  it('makes one at once when the last is too old or there is none, and none when another process has', async () => {
    const take = taking()
    start(take)
    expect(take).toHaveBeenCalledTimes(1)
    await jest.advanceTimersByTimeAsync(30 * MINUTE_MS)
    backUp()
    await jest.advanceTimersByTimeAsync(59 * MINUTE_MS)
    expect(take).toHaveBeenCalledTimes(1)
  })

  it('is not misled by a backup of the future', async () => {
    backUp(-9 * HOUR_MS)
    const take = taking()
    start(take)
    await jest.advanceTimersByTimeAsync(30 * MINUTE_MS)
    expect(take).toHaveBeenCalledTimes(1)
  })

  it.each([[new BackupError('no room')], [new BackupBusyError('another')]])('tries again after %p', async (error) => {
    const take = jest.fn<typeof takeBackup>(() => Promise.reject(error))
    start(take)
    await jest.advanceTimersByTimeAsync(4 * MINUTE_MS)
    expect(take).toHaveBeenCalledTimes(1)
    // That somebody else is at it is no failure.
    const failure = { at: Date.parse('2026-11-23T12:00:00Z'), reason: error.message }
    expect(statuses.at(-1)?.lastFailure).toEqual(error instanceof BackupBusyError ? null : failure)
    take.mockImplementation(() => Promise.resolve(backUp()))
    await jest.advanceTimersByTimeAsync(MINUTE_MS)
    expect(take).toHaveBeenCalledTimes(2)
    await jest.advanceTimersByTimeAsync(1)
    expect(statuses.at(-1)?.lastFailure).toBeNull()
  })

  it('ends the backup that is under way, and makes no more', async () => {
    const take = jest.fn<typeof takeBackup>(
      (_settings, { signal } = {}) =>
        new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new BackupAbortedError()))),
    )
    start(take)
    await schedule?.stop()
    await jest.advanceTimersByTimeAsync(HOUR_MS)
    expect(take).toHaveBeenCalledTimes(1)
    expect(statuses.at(-1)?.lastFailure).toBeNull()
  })

  it('makes none with an interval of 0, and tells of those there are', async () => {
    backUp(9 * HOUR_MS)
    const take = taking()
    start(take, 0)
    await jest.advanceTimersByTimeAsync(HOUR_MS)
    expect(take).toHaveBeenCalledTimes(0)
    expect(statuses[0]?.lastSuccess).toMatchObject({ bytes: 1, durationMs: 5 })
  })
})
