import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import BetterSqlite3 from 'better-sqlite3'
import { copyDatabase } from '../../src/import-legacy/legacy-copy.js'
import { LegacyDatabase, type LegacyRow } from '../../src/import-legacy/legacy-database.js'
import { InvalidText } from '../../src/import-legacy/legacy-value.js'
import { aLegacyRow, contentsOf, Folders, LEGACY_TABLE, makeLegacyFile } from './legacy-file.js'

const WRITER = join(process.cwd(), 'test', 'import-legacy', 'legacy-writer.mjs')
const COPIES_UNDER_LOAD = 10
const WRITTEN_ROWS = 500

const folders = new Folders()
const children: ChildProcess[] = []

afterEach(async () => {
  await Promise.all(children.splice(0).map(killed))
  folders.remove()
})

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

/** A process that writes as the predecessor does; resolves when its first write is committed. */
async function startWriter(file: string, mode: 'once' | 'forever'): Promise<ChildProcess> {
  const child = spawn(process.execPath, [WRITER, file, mode], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  await once(child.stdout, 'data')
  return child
}

async function readAll(file: string): Promise<LegacyRow[]> {
  const legacy = await LegacyDatabase.open(file)
  try {
    return [...legacy.rows()]
  } finally {
    legacy.close()
  }
}

async function structureOf(file: string) {
  const legacy = await LegacyDatabase.open(file)
  legacy.close()
  return legacy.structure
}

describe("the predecessor's file", () => {
  it('is read with what is in its WAL alone, after its writer was killed, and nothing beside it changes', async () => {
    const folder = folders.make()
    const file = makeLegacyFile(folder, [aLegacyRow(), aLegacyRow()])
    await killed(await startWriter(file, 'once'))
    const before = contentsOf(folder)
    expect(Object.keys(before)).toEqual(['gator.db', 'gator.db-shm', 'gator.db-wal'])

    const rows = await readAll(file)
    expect(rows.map(({ values }) => values.generation_count)).toEqual([1000n, 1000n])
    expect(contentsOf(folder)).toEqual(before)
  })

  it('is read after a crash within a rollback journal, without the transaction that was not finished', async () => {
    const [folder, crashed] = [folders.make(), folders.make()]
    const file = makeLegacyFile(
      folder,
      Array.from({ length: 50 }, () => aLegacyRow()),
    )
    const database = new BetterSqlite3(file)
    // So small a cache spills into the file before the COMMIT: at this instant, the file needs its journal.
    database.pragma('cache_size = 1')
    database.exec('BEGIN; UPDATE personas SET generation_count = 0, appearance = hex(zeroblob(4000))')
    for (const name of ['gator.db', 'gator.db-journal']) {
      writeFileSync(join(crashed, name), readFileSync(join(folder, name)))
    }
    database.close()
    const before = contentsOf(crashed)

    const counts = (await readAll(join(crashed, 'gator.db'))).map(({ values }) => values.generation_count)
    expect(new Set(counts)).toEqual(new Set([7n]))
    expect(contentsOf(crashed)).toEqual(before)
  })

  it.each([
    ['the files are copied', undefined],
    ['the copy is made through SQLite', 0],
  ])('is copied as it is at one instant while somebody writes and checkpoints, when %s', async (_how, attempts) => {
    const rows = Array.from({ length: WRITTEN_ROWS }, () => aLegacyRow({ appearance: 'x'.repeat(10_000) }))
    const file = makeLegacyFile(folders.make(), rows, 'PRAGMA journal_mode = WAL')
    await startWriter(file, 'forever')
    const seen = new Set<unknown>()
    for (let n = 0; n < COPIES_UNDER_LOAD; n++) {
      const copy = await copyDatabase(file, attempts)
      const database = new BetterSqlite3(copy.file)
      expect(database.pragma('integrity_check', { simple: true })).toBe('ok')
      const sum = database.prepare('SELECT sum(generation_count) FROM personas').pluck().get()
      expect(sum).toBe(1_000 * WRITTEN_ROWS)
      seen.add(database.prepare('SELECT group_concat(generation_count) FROM personas').pluck().get())
      database.close()
      copy.remove()
    }
    expect(seen.size).toBeGreaterThan(1)
  })

  it('tells the storage classes apart, and text that is none', async () => {
    const file = makeLegacyFile(folders.make(), [
      aLegacyRow({ name: Buffer.from([0xff]), generation_count: 2n ** 62n, is_active: 0.5, base_image_path: 'a\0b' }),
    ])
    const database = new BetterSqlite3(file)
    database.exec("UPDATE personas SET appearance = CAST(x'61ff62' AS TEXT)")
    database.close()
    const [row] = await readAll(file)
    expect(row?.values).toMatchObject({ generation_count: 2n ** 62n, is_active: 0.5, base_image_path: 'a\0b' })
    expect(row?.values.name).toEqual(Buffer.from([0xff]))
    expect(row?.values.appearance).toEqual(new InvalidText(Buffer.from('a\xffb', 'latin1'), 'a\u{FFFD}b'))
  })

  it('is told with its unknown columns, missing columns and unknown tables', async () => {
    const file = makeLegacyFile(
      folders.make(),
      [aLegacyRow(), aLegacyRow()],
      `ALTER TABLE personas ADD COLUMN mood TEXT; UPDATE personas SET mood = 'calm' WHERE rowid = 1;
       ALTER TABLE personas DROP COLUMN base_image_path;
       CREATE TABLE "content ""x""" (id); INSERT INTO "content ""x""" VALUES (1), (2), (3);
       CREATE TABLE alembic_version (version_num VARCHAR(32))`,
    )
    expect(await structureOf(file)).toEqual({
      rows: 2,
      unknownColumns: [{ name: 'mood', values: 1 }],
      missingColumns: ['base_image_path'],
      unknownTables: [
        { name: 'alembic_version', rows: 0 },
        { name: 'content "x"', rows: 3 },
      ],
    })
    expect((await readAll(file))[0]?.values.base_image_path).toBeNull()
  })

  it.each([
    ['missing', () => undefined, 'is not there'],
    ['a folder', (file: string) => mkdirSync(file), 'is not a file'],
    ['not a database', (file: string) => writeFileSync(file, 'x'.repeat(4096)), 'is not an SQLite database'],
    ['empty', (file: string) => writeFileSync(file, ''), 'has no table personas'],
    ['another database', (file: string) => run(file, 'CREATE TABLE t (id)'), 'has no table personas'],
    ['another table', (file: string) => run(file, 'CREATE TABLE personas (x)'), 'has no column id'],
    ['ours', (file: string) => run(file, `${LEGACY_TABLE}; CREATE TABLE _prisma_migrations (id)`), 'already'],
    ['damaged', damage, 'is damaged'],
  ])('is refused when it is %s', async (_what, make, message) => {
    const folder = folders.make()
    const file = join(folder, 'gator.db')
    make(file)
    const before = readdirSync(folder)
    await expect(LegacyDatabase.open(file)).rejects.toThrow(message)
    expect(readdirSync(folder)).toEqual(before)
  })
})

function run(file: string, script: string): void {
  const database = new BetterSqlite3(file)
  database.exec(script)
  database.close()
}

function damage(file: string): void {
  makeLegacyFile(
    join(file, '..'),
    Array.from({ length: 100 }, () => aLegacyRow()),
  )
  const bytes = readFileSync(file)
  bytes.fill(0xaa, 3 * 4096, 5 * 4096)
  writeFileSync(file, bytes)
}
