import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from '@jest/globals'
import BetterSqlite3 from 'better-sqlite3'
import type { ImportReport } from '../../src/import-legacy/import-report.js'
import { aPersona } from '../processes/a-persona.js'
import { Sandbox } from '../processes/sandbox.js'
import { until } from '../processes/until.js'
import { sharedPostgres } from '../support/postgres.js'
import { gator, startGator } from '../support/gator.js'
import { aLegacyRow, type Cells, contentsOf, Folders, legacyId, makeLegacyFile } from './legacy-file.js'

const BATCH = 200
const MANY = 3_000
const BESIDE = 800
/** The load is bounded: what is tested are turns, not how many writes the machine can do besides. */
const WRITE_EVERY_MS = 5
const NOBODY = 65_534
const TEST_TIMEOUT_MS = 60_000

const sandbox = new Sandbox()
const folders = new Folders()
afterEach(async () => {
  await sandbox.clear()
  folders.remove()
})

const manyRows = (count: number) => Array.from({ length: count }, () => aLegacyRow())

/** A folder with a current database, and the predecessor's file in another. */
function aTask(rows: readonly Cells[], script = '') {
  const legacyFolder = folders.make()
  return { folder: sandbox.folder(), legacyFolder, file: makeLegacyFile(legacyFolder, rows, script) }
}

/** How many personas an SQLite database has, as another process sees it. */
function countIn(folder: string): number {
  const database = new BetterSqlite3(join(folder, 'gator.db'), { readonly: true })
  try {
    return Number(database.prepare('SELECT count(*) FROM personas').pluck().get())
  } finally {
    database.close()
  }
}

type JsonResult = ImportReport & { ok: boolean; error?: string }
const parse = (json: string) => JSON.parse(json) as JsonResult

/** Whether every user may read a folder, as far as the permissions of it and of those above say. */
function isOpenToAll(folder: string): boolean {
  const isOpen = (statSync(folder).mode & 0o005) === 0o005
  return isOpen && (folder === dirname(folder) || isOpenToAll(dirname(folder)))
}

describe('gator import-legacy', () => {
  it('says in words what it did, and in JSON and in the report file everything', async () => {
    const id = legacyId()
    const { folder, file } = aTask(
      [aLegacyRow({ id, name: 'Tom & Jerry \u001b[31m', base_image_path: 'a\0b', is_active: null }), aLegacyRow()],
      'ALTER TABLE personas ADD COLUMN mood TEXT; CREATE TABLE content (id)',
    )
    const report = join(folder, 'report.json')
    const words = await gator(['import-legacy', file, '--report', report], { folder })
    expect({ code: words.code, stderr: words.stderr }).toEqual({ code: 0, stderr: '' })
    const uuid = id.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5')
    expect(words.stdout.split('\n').slice(1)).toEqual([
      '2 rows read: 2 imported, 0 there already, 0 different and left alone, 0 NOT imported',
      'NULL, became the default: is_active 1',
      'times cut to the millisecond: created_at 2',
      'findings: replaced 1, rule 1',
      'columns without a place here: mood 0 values',
      'tables without a place here: content 0 rows',
      `  ${uuid}, row 1: replaced: base_image_path has U+0000, which PostgreSQL cannot hold (was "a\\u0000b", is "a\u{FFFD}b")`,
      `  ${uuid}, row 1: rule: name must not contain any of < > & '`,
      '',
    ])
    const { ok, ...json } = parse((await gator(['import-legacy', file, '--json'], { folder })).stdout)
    expect(ok).toBe(true)
    expect(json).toMatchObject({
      rows: { read: 2, imported: 0, alreadyThere: 2 },
      unknownColumns: [{ name: 'mood', values: 0 }],
      unknownTables: [{ name: 'content', rows: 0 }],
      findings: [{ id: uuid, row: 1, kind: 'replaced', original: 'a\0b' }, { kind: 'rule' }],
    })
    const written = parse(readFileSync(report, 'utf8'))
    expect(written).toEqual({ ...json, rows: { ...json.rows, imported: 2, alreadyThere: 0 } })
  })

  it('makes and migrates a database that is not there, but not in a dry run', async () => {
    const { legacyFolder, file } = aTask([aLegacyRow()])
    const [folder, before] = [folders.make(), contentsOf(legacyFolder)]
    const dry = await gator(['import-legacy', file, '--dry-run', '--json'], { folder })
    expect(parse(dry.stdout)).toMatchObject({ ok: true, target: { state: 'behind' }, rows: { imported: 1 } })
    expect(readdirSync(folder)).toEqual([])

    const url = await (await sharedPostgres()).createDatabase()
    const [toFile, toServer] = await Promise.all([
      gator(['import-legacy', file, '--json'], { folder }),
      gator(['import-legacy', file, '--json', '--to', url], { folder }),
    ])
    expect([toFile.code, toServer.code]).toEqual([0, 0])
    expect(parse(toServer.stdout)).toMatchObject({ target: { state: 'behind' }, rows: { imported: 1 } })
    const again = await gator(['import-legacy', file, '--json', '--to', url, '--dry-run'], { folder })
    expect(parse(again.stdout)).toMatchObject({ target: { state: 'current' }, rows: { alreadyThere: 1 } })
    expect(countIn(folder)).toBe(1)
    expect(contentsOf(legacyFolder)).toEqual(before)
  })

  it('ends with 1 when a row could not be imported, or the file cannot be read, and with 2 when it is called wrongly', async () => {
    const { folder, file } = aTask([aLegacyRow({ name: 'Refused' })])
    const database = new BetterSqlite3(join(folder, 'gator.db'))
    database.exec(`CREATE TRIGGER refuse BEFORE INSERT ON personas BEGIN SELECT RAISE(ABORT, 'not this one'); END`)
    database.close()
    const report = join(folder, 'there.json')
    writeFileSync(report, 'mine')
    const calls: [string[], number, string][] = [
      [[file, '--json'], 1, '"ok":false'],
      [[join(folder, 'missing.db')], 1, 'is not there'],
      [['gator.db'], 1, 'is also the target'],
      [[file, '--to', 'mysql://secret@host/x'], 2, '--to must be file:'],
      [[file, '--report', report], 2, 'is not overwritten'],
    ]
    const exits = await Promise.all(calls.map(([words]) => gator(['import-legacy', ...words], { folder })))
    for (const [index, [, code, message]] of calls.entries()) {
      const { stdout = '', stderr = '', code: found } = exits[index] ?? {}
      expect({ message, code: found }).toEqual({ message, code })
      expect(stdout + stderr).toContain(message)
      expect(stdout + stderr).not.toContain('secret')
    }
    expect(readFileSync(report, 'utf8')).toBe('mine')
    expect(parse(exits[0]?.stdout ?? '').findingCounts).toMatchObject({ refused: 1 })
  })

  it(
    'goes on where it was killed with -9, and leaves nothing of the old data behind',
    async () => {
      const { folder, file } = aTask(manyRows(MANY))
      const temporary = join(folder, 'tmp')
      mkdirSync(temporary)
      const options = { folder, env: { TMPDIR: temporary } }
      const first = startGator(['import-legacy', file, '--json'], options)
      const ended = once(first, 'exit')
      await until('some rows are there', () => countIn(folder) > 0)
      first.kill('SIGKILL')
      await ended
      const before = countIn(folder)
      expect([before > 0, before < MANY, before % BATCH]).toEqual([true, true, 0])
      expect(readdirSync(temporary)).toEqual([])

      const { rows } = parse((await gator(['import-legacy', file, '--json'], options)).stdout)
      expect(rows).toMatchObject({ read: MANY, imported: MANY - before, alreadyThere: before, notImported: 0 })
      expect(countIn(folder)).toBe(MANY)
    },
    TEST_TIMEOUT_MS,
  )

  it(
    'runs beside a server that writes: each has its turn, and nothing is lost',
    async () => {
      const rows = manyRows(BESIDE)
      const { folder, file } = aTask(rows)
      const server = await sandbox.start({ folder, workers: 2 })
      const connections = await sandbox.connectToEachWorker(server, 2)
      let isOver = false
      const writers = connections.map(async (connection) => {
        const statuses: number[] = []
        while (!isOver) {
          statuses.push((await connection.create(aPersona())).status)
          await delay(WRITE_EVERY_MS)
        }
        return statuses
      })
      const { code, stdout } = await gator(['import-legacy', file, '--json'], { folder })
      isOver = true
      const statuses = (await Promise.all(writers)).flat()
      expect({ code, rows: parse(stdout).rows }).toMatchObject({ code: 0, rows: { imported: rows.length } })
      expect(new Set(statuses)).toEqual(new Set([201]))
      expect(countIn(folder)).toBe(rows.length + statuses.length)
      const { status, body } = await connections[0]!.request('GET', `/api/v1/personas/${String(rows[0]?.id)}`)
      expect([status, body.generation_count]).toEqual([200, 7])
    },
    TEST_TIMEOUT_MS,
  )

  // Root may write wherever it likes: as root, the command runs as nobody, who must be able to read this project.
  const isRoot = process.getuid?.() === 0
  const isTestable = !isRoot || isOpenToAll(process.cwd())
  if (!isTestable) process.stderr.write('SKIPPED: nobody, whom root becomes, may not read the folder of this project\n')
  const itIfTestable = isTestable ? it : it.skip
  itIfTestable('reads a file and a folder that it may not write to', async () => {
    const { legacyFolder, file } = aTask([aLegacyRow()], 'PRAGMA journal_mode = WAL')
    const folder = folders.make()
    chmodSync(file, 0o444)
    chmodSync(legacyFolder, 0o555)
    chmodSync(folder, 0o777)
    const before = contentsOf(legacyFolder)
    const { code, stdout, stderr } = await gator(['import-legacy', file, '--json', '--dry-run'], {
      folder,
      ...(isRoot && { uid: NOBODY }),
    })
    chmodSync(legacyFolder, 0o755)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(parse(stdout).rows).toMatchObject({ read: 1, imported: 1 })
    expect(contentsOf(legacyFolder)).toEqual(before)
    expect(existsSync(`${file}-wal`)).toBe(false)
  })
})
