import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import BetterSqlite3 from 'better-sqlite3'
import { listBackups, removeLeftovers } from '../../src/backup/folder.js'
import { linkNew } from '../../src/backup/durable.js'
import { backupPathOf, newBackupName, newWorkFiles } from '../../src/backup/names.js'
import { restoreBackup } from '../../src/backup/restore.js'
import { replaceDatabase } from '../../src/backup/sqlite/replace.js'
import { locksOf } from '../../src/database/sqlite/file-locks.js'
import { takeBackup, verifyBackup } from '../../src/backup/take-backup.js'
import { withDatabase } from '../processes/database-file.js'
import { Sandbox } from '../processes/sandbox.js'
import { createMigratedDatabase, dropDatabase } from '../support/postgres.js'
import { gator } from '../support/gator.js'
import { backupsIn, settingsOf } from './support.js'

const PAGE_BYTES = 4_096

describe('gator restore on SQLite', () => {
  const sandbox = new Sandbox()
  afterEach(() => sandbox.clear())

  /** A folder with a database of some personas, and a backup of it. */
  async function backedUp() {
    const folder = sandbox.folder()
    const database = join(folder, 'gator.db')
    addPersonas(folder, 'a', 200)
    const settings = settingsOf(`file:${database}`, folder)
    const file = join(folder, 'chosen.db')
    await takeBackup(settings, { file })
    addPersonas(folder, 'b', 1)
    return { folder, database, settings, file }
  }

  it('refuses what is not sound, not ours or newer, and leaves the database as it was', async () => {
    const { folder, database, settings, file } = await backedUp()
    const damaged = (name: string, change: (path: string) => void) => {
      const path = join(folder, name)
      writeFileSync(path, readFileSync(file))
      change(path)
      return path
    }
    const withManifest = (path: string, change: (text: string) => string = (text) => text) => {
      writeFileSync(`${path}.json`, change(readFileSync(`${file}.json`, 'utf8')))
      return path
    }
    const sql = (statements: string) => (path: string) => {
      const opened = new BetterSqlite3(path)
      opened.exec(statements)
      opened.close()
    }
    const cut = (path: string) => truncateSync(path, PAGE_BYTES * 3)
    const history = `UPDATE _prisma_migrations SET`
    const cases: [string, RegExp][] = [
      [damaged('cut.db', cut), /cut\.db is damaged/],
      [damaged('page.db', damage), /page\.db is damaged: integrity_check/],
      [damaged('text.db', (path) => writeFileSync(path, 'no database')), /text\.db is not an SQLite database/],
      [damaged('newer.db', sql(`${history} migration_name = '29990101000000_later'`)), /newer schema \(29990101/],
      [damaged('edited.db', sql(`${history} checksum = 'other'`)), /another schema: 20261123000000_create_personas/],
      [damaged('none.db', sql('DROP TABLE _prisma_migrations')), /not a database of gator's/],
      [damaged('log.db', (path) => writeFileSync(`${path}-wal`, 'x')), /was not closed in order/],
      [withManifest(damaged('hash.db', sql(`UPDATE personas SET name = 'Other' WHERE id = 'a-7'`))), /SHA-256|bytes/],
      [withManifest(damaged('short.db', cut)), /has 12288 bytes, its manifest says/],
      [
        withManifest(
          damaged('rows.db', () => undefined),
          (text) => text.replace('200', '201'),
        ),
        /its manifest says: /,
      ],
      [
        withManifest(
          damaged('manifest.db', () => undefined),
          () => '{}',
        ),
        /manifest .* is damaged/,
      ],
      [
        withManifest(
          damaged('pg.db', () => undefined),
          (text) => text.replace('"sqlite"', '"postgresql"'),
        ),
        /backup of postgresql/,
      ],
    ]
    for (const [path, message] of cases) {
      await expect(restoreBackup(settings, path)).rejects.toThrow(message)
      if (existsSync(`${path}.json`)) await expect(verifyBackup(path)).rejects.toThrow()
    }
    expect(personasIn(database)).toBe(201)
    expect(readdirSync(folder).filter((name) => /partial|replaced/.test(name))).toEqual([])
  })

  it('keeps the replaced database, also a damaged one with its log, and fills a place where there was none', async () => {
    const { folder, database, settings, file } = await backedUp()
    const { replaced } = await restoreBackup(settings, file)
    expect([personasIn(database), personasIn(String(replaced))]).toEqual([200, 201])

    writeFileSync(database, 'ruins')
    writeFileSync(`${database}-wal`, 'of a log')
    const { replaced: ruins } = await restoreBackup(settings, file)
    expect([personasIn(database), readFileSync(String(ruins), 'utf8')]).toEqual([200, 'ruins'])
    expect(readFileSync(`${ruins}-wal`, 'utf8')).toBe('of a log')

    writeFileSync(database, `SQLite format 3\0${'ruins'.repeat(2_000)}`)
    await restoreBackup(settings, file)
    expect(personasIn(database)).toBe(200)

    rmSync(database)
    writeFileSync(`${database}-wal`, 'of nothing')
    expect((await restoreBackup(settings, file)).replaced).toBeNull()
    expect(personasIn(database)).toBe(200)
    expect(existsSync(join(folder, 'gator.db-wal'))).toBe(false)
  })

  it('is refused while anyone has the database open, and is seen by who opened it just before', async () => {
    const { database, settings, file } = await backedUp()
    const reader = new BetterSqlite3(database, { readonly: true })
    reader.prepare('SELECT 1 FROM personas').get()
    await expect(restoreBackup(settings, file)).rejects.toThrow('is in use')
    reader.close()
    const late = new BetterSqlite3(database)
    await restoreBackup(settings, file)
    expect(() => late.pragma('journal_mode = WAL')).toThrow(
      expect.objectContaining({ code: 'SQLITE_READONLY_DBMOVED' }),
    )
    late.close()
    expect(
      locksOf(77, '1: POSIX  ADVISORY  READ 4711 fe:00:77 0 EOF\n2: FLOCK  ADVISORY  WRITE 5 fe:00:77 0 EOF'),
    ).toEqual([{ pid: 4711, kind: 'READ', firstByte: 0 }])
  })

  it('leaves the database where it was when the new one cannot take its place', async () => {
    const { database } = await backedUp()
    expect(() => replaceDatabase(database, `${database}-missing`)).toThrow('ENOENT')
    expect(personasIn(database)).toBe(201)
  })

  it('names: no path, no link, no file without a manifest; what a dead run has linked is removed, and no other', () => {
    const backups = backupsIn(sandbox.emptyFolder())
    const name = newBackupName('sqlite', new Date())
    mkdirSync(join(backups, 'inner'))
    symlinkSync('/etc/passwd', join(backups, name))
    for (const bad of [name, `../backups/${name}`, `inner/../${name}`, '/etc/passwd', '..', '', `${name}\0`]) {
      expect(() => backupPathOf(backups, bad)).toThrow('There is no backup')
    }
    rmSync(join(backups, name))
    const { data } = newWorkFiles(backups)
    writeFileSync(data, 'x')
    writeFileSync(join(backups, 'gator-20200101T000000.000Z-00000000.db'), 'somebody put this here')
    linkNew(data, join(backups, name))
    expect(() => linkNew(data, join(backups, name))).toThrow('is not overwritten')
    expect(listBackups(backups)).toEqual([])
    removeLeftovers(backups)
    expect(readdirSync(backups).sort()).toEqual(['gator-20200101T000000.000Z-00000000.db', 'inner'])
  })

  it('as commands: a file that is there, a database that is not, a checkpoint that somebody is in the way of', async () => {
    const { folder, file } = await backedUp()
    const json = async (words: string[], env: Record<string, string> = {}) => {
      const { code, stdout } = await gator([...words, '--json'], { folder, env })
      return { code, ...(JSON.parse(stdout) as Record<string, unknown>) }
    }
    const pin = new BetterSqlite3(join(folder, 'gator.db'))
    pin.exec('BEGIN')
    pin.prepare('SELECT count(*) FROM personas').get()
    addPersonas(folder, 'c', 1)
    const [taken, missing, busy, foreign] = await Promise.all([
      json(['backup', file]),
      json(['backup'], { DATABASE_URL: 'file:./nowhere.db' }),
      json(['checkpoint'], { DATABASE_BUSY_TIMEOUT_MS: '100' }),
      json(['checkpoint'], { DATABASE_URL: 'postgresql://postgres@127.0.0.1:1/nowhere' }),
    ])
    expect(taken).toMatchObject({ code: 1, error: expect.stringContaining('is not overwritten') })
    expect(missing).toMatchObject({ code: 1, error: expect.stringContaining('There is no database file') })
    expect(busy).toMatchObject({ code: 1, ok: false, isBusy: true })
    expect(await json(['checkpoint', '--mode', 'passive'])).toMatchObject({ code: 1, ok: false, isBusy: false })
    expect(foreign).toMatchObject({ code: 1, error: expect.stringContaining('PostgreSQL') })
    pin.close()

    expect(await json(['checkpoint'])).toMatchObject({ code: 0, ok: true, frames: 0 })
    expect(await json(['backups', '--verify'])).toMatchObject({ code: 0, ok: true, backups: [] })
    const restored = await gator(['restore', file], { folder })
    expect(restored).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Restored .*chosen\.db\.\nThe replaced/) })
    damage(join(folder, 'gator.db'))
    const sick = await gator(['doctor'], { folder })
    expect(sick).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^red +integrity: .*\n +→ Stop the servers/m),
    })
  })

  it('needs a backup of its own kind of database', async () => {
    const { folder, file } = await backedUp()
    const url = await createMigratedDatabase()
    await expect(restoreBackup(settingsOf(url, folder), file)).rejects.toThrow('backup of sqlite')
    await dropDatabase(url)
  })
})

function addPersonas(folder: string, prefix: string, count: number): void {
  withDatabase(folder, (database) => {
    const insert = database.prepare(
      `INSERT INTO personas (id, name, appearance, personality, created_at, updated_at)
       VALUES (?, 'Sarah', ?, 'curious', '2026-01-01T00:00:00.000+00:00', '2026-01-01T00:00:00.000+00:00')`,
    )
    for (let n = 0; n < count; n++) insert.run(`${prefix}-${n}`, 'grey '.repeat(100))
  })
}

function personasIn(file: string): number {
  const database = new BetterSqlite3(file, { readonly: true })
  try {
    return database.prepare<[], number>('SELECT count(*) FROM personas').pluck().get() ?? NaN
  } finally {
    database.close()
  }
}

function damage(file: string): void {
  const content = readFileSync(file)
  content.fill(0x5a, PAGE_BYTES * 4, PAGE_BYTES * 5)
  writeFileSync(file, content)
}
