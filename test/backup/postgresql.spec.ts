import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { parseHistory, withoutRows } from '../../src/backup/postgresql/archive.js'
import { directUrlOf, libpqEnvironmentOf } from '../../src/backup/postgresql/libpq.js'
import { findProgram } from '../../src/backup/postgresql/programs.js'
import { restoreBackup } from '../../src/backup/restore.js'
import { takeBackup, verifyBackup } from '../../src/backup/take-backup.js'
import { readMigrationFiles } from '../../src/database/migrations/migration-files.js'
import { Sandbox } from '../processes/sandbox.js'
import { missingFor, settingsOf } from './support.js'

describe('backups of PostgreSQL', () => {
  const sandbox = new Sandbox('PostgreSQL')
  let missing: string | undefined
  beforeAll(async () => {
    missing = await missingFor('PostgreSQL')
  })
  afterEach(() => sandbox.clear())

  it('refuses what is damaged, newer, or not fit for what is there, and a database in use', async () => {
    if (missing !== undefined) return
    const folder = sandbox.emptyFolder()
    const database = await sandbox.database()
    const settings = settingsOf(database.url, folder)
    const { file } = await takeBackup(settings)
    const newer = join(folder, 'newer.dump')
    const [{ name: last } = { name: '' }] = readMigrationFiles('postgresql').slice(-1)
    const rename = (from: string, to: string) =>
      database.query(`UPDATE _prisma_migrations SET migration_name = '${to}' WHERE migration_name = '${from}'`)
    await rename(last, '29990101000000_later')
    await takeBackup(settings, { file: newer })
    await expect(restoreBackup(settings, newer)).rejects.toThrow('newer schema (29990101000000_later)')
    await expect(restoreBackup(settings, file)).rejects.toThrow('make an empty database')
    await rename('29990101000000_later', last)

    const text = join(folder, 'text.dump')
    writeFileSync(text, 'no archive')
    await expect(restoreBackup(settings, text)).rejects.toThrow(/pg_restore failed: .*input file/)
    writeFileSync(newer, 'x', { flag: 'a' })
    await expect(verifyBackup(newer)).rejects.toThrow('bytes, its manifest says')

    const server = new pg.Client({ connectionString: database.url, application_name: 'gator-personas' })
    await server.connect()
    await expect(restoreBackup(settings, file)).rejects.toThrow('is in use (1 sessions of a server)')
    await server.end()
    const nowhere = settingsOf(database.url.replace(/[^/]+$/, 'nowhere'), folder)
    await expect(restoreBackup(nowhere, file)).rejects.toThrow('create it (createdb)')
  })

  it('says what to install when the programs are missing, or too old', async () => {
    await expect(findProgram('pg_dump', 15, [])).rejects.toThrow(
      /^pg_dump is not there: install .* version 15 or newer/,
    )
    const folder = sandbox.emptyFolder()
    writeFileSync(join(folder, 'pg_dump'), '#!/bin/sh\necho "pg_dump (PostgreSQL) 14.2"\n', { mode: 0o755 })
    await expect(findProgram('pg_dump', 15, [folder])).rejects.toThrow('pg_dump is too old (version 14)')
    expect(await findProgram('pg_dump', 14, ['/nowhere', folder])).toBe(join(folder, 'pg_dump'))
  })

  it('tells the programs what the URL says by their environment, and wants the server itself', () => {
    expect(libpqEnvironmentOf('postgresql://us%40er:p%2Fw@db.example:5433/gator?sslmode=require')).toEqual({
      PGHOST: 'db.example',
      PGPORT: '5433',
      PGUSER: 'us@er',
      PGPASSWORD: 'p/w',
      PGDATABASE: 'gator',
      PGSSLMODE: 'require',
      PGAPPNAME: 'gator backup',
    })
    const { database } = settingsOf('postgresql://pooler/gator?pgbouncer=true', '/nowhere')
    expect(() => directUrlOf(database)).toThrow('set DATABASE_DIRECT_URL')
    expect(directUrlOf({ ...database, directUrl: 'postgresql://server/gator' })).toBe('postgresql://server/gator')
  })

  it('leaves the rows of one table out of a table of contents', () => {
    const contents = [
      ';',
      '217; 1259 16433 TABLE public change_feed postgres',
      '3405; 0 16433 TABLE DATA public change_feed postgres',
      '3406; 0 16440 TABLE DATA public change_feed_2 postgres',
      '',
    ]
    expect(withoutRows(contents.join('\n'), 'change_feed').split('\n')).toEqual(contents.toSpliced(2, 1))
  })

  it('reads the migrations out of a script of pg_restore', () => {
    const script = [
      'SET x = 1;',
      'COPY public._prisma_migrations (id, checksum, finished_at, migration_name, logs, rolled_back_at, started_at, applied_steps_count) FROM stdin;',
      '2\tsum2\t\\N\tb\t\\N\t\\N\t2026-02-01\t1',
      '1\tsum1\t2026-01-01\ta\t\\N\t2026-01-02\t2026-01-01\t1',
      '\\.',
      '',
    ].join('\n')
    expect(parseHistory(script)).toEqual([
      { name: 'a', checksum: 'sum1', isFinished: true, isRolledBack: true },
      { name: 'b', checksum: 'sum2', isFinished: false, isRolledBack: false },
    ])
    expect(parseHistory('nothing')).toEqual([])
  })
})
