import { afterAll, describe, expect, it } from '@jest/globals'
import { join } from 'node:path'
import pg from 'pg'
import { Transfer, within } from '../../src/transfer/transfer.js'
import { Sandbox } from '../processes/sandbox.js'
import { before } from './interception.js'
import {
  closePostgres,
  execute,
  fill,
  migratedPostgres,
  personasOf,
  personasTable,
  query,
  SILENT,
  withSides,
} from './support.js'

const insertOf = (id: string) =>
  `INSERT INTO personas (id, name, appearance, personality, created_at, updated_at)
   VALUES ('${id}', 'late', '', '', '2026-01-01 00:00:00', '2026-01-01 00:00:00')`

/** A table as a later migration may bring it: numbered, with every kind of value, unique texts, references to itself. */
const JOBS = {
  sqlite: `CREATE TABLE jobs (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, slug TEXT NOT NULL UNIQUE, weight REAL,
    payload BLOB, big BIGINT, due DATETIME, parent INTEGER REFERENCES jobs (id))`,
  postgresql: `CREATE TABLE jobs (id SERIAL PRIMARY KEY, slug TEXT NOT NULL UNIQUE, weight DOUBLE PRECISION,
    payload BYTEA, big BIGINT, due TIMESTAMP(3), parent INTEGER REFERENCES jobs (id))`,
}
const PAIRS = `CREATE TABLE pairs (a TEXT NOT NULL, b INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (b, a))`
const dialectOf = (url: string) => (url.startsWith('file:') ? 'sqlite' : 'postgresql')

describe('catching up', () => {
  const sandbox = new Sandbox()
  afterAll(async () => {
    await sandbox.clear()
    await closePostgres()
  })
  const sqlite = () => Promise.resolve(`file:${join(sandbox.folder(), 'gator.db')}`)

  it('misses no transaction that takes its number early and commits late', async () => {
    const [from, to] = [await migratedPostgres(), await sqlite()]
    await fill(from, 10)
    const [first, second] = [new pg.Client(from), new pg.Client(from)]
    await first.connect()
    await second.connect()
    await withSides(from, to, async (source, target) => {
      const interfering = before(source, {
        // The numbers 1 and 2 of the log go to transactions that stay open, 3 is committed at once.
        page: async () => {
          await first.query('BEGIN')
          await first.query(insertOf('first'))
          await second.query('BEGIN')
          await second.query(`UPDATE personas SET name = 'second' WHERE generation_count = 3`)
          await execute(from, insertOf('third'))
        },
        snapshot: async () => {
          expect((await target.rows(await personasTable(target), [['third']])).length).toBe(1)
          await first.query('COMMIT')
        },
        stopWrites: () => second.query('COMMIT'),
      })
      await new Transfer(interfering, target, SILENT).run()
    })
    await first.end()
    await second.end()
    const moved = await personasOf(to)
    expect(moved).toEqual(await personasOf(from))
    expect(moved.map(({ id, name }) => [id, name])).toEqual(
      expect.arrayContaining([
        ['first', 'late'],
        ['third', 'late'],
        [expect.stringMatching(/0003$/), 'second'],
      ]),
    )
  })

  it.each([
    ['SQLite to PostgreSQL', sqlite, migratedPostgres],
    ['PostgreSQL to SQLite', migratedPostgres, sqlite],
  ])('%s carries tables that later migrations bring', async (_name, makeSource, makeTarget) => {
    const [from, to] = [await makeSource(), await makeTarget()]
    const bytes = dialectOf(from) === 'sqlite' ? `x'00ff10'` : `'\\x00ff10'::bytea`
    for (const url of [from, to]) await execute(url, `${JOBS[dialectOf(url)]}; ${PAIRS}`)
    await execute(
      from,
      `INSERT INTO jobs (slug, weight, payload, big, due) VALUES ('a', 0.1, ${bytes}, 9007199254740993, '2026-01-02 03:04:05.6'),
       ('b', 1e300, NULL, -1, NULL), ('c', 3, NULL, NULL, NULL), ('d', NULL, NULL, NULL, NULL);
       UPDATE jobs SET parent = 3 WHERE id = 1;
       DELETE FROM jobs WHERE id = 4;
       INSERT INTO pairs VALUES ('x', 10, 1), ('y', 9, 2), ('x', 9, 3), ('it''s', 10, 4)`,
    )
    await withSides(from, to, async (source, target) => {
      const interfering = before(source, {
        // Texts change their places, keys change, and a row goes: after they were copied.
        changes: () =>
          execute(
            from,
            `UPDATE jobs SET slug = 'tmp' WHERE id = 1; UPDATE jobs SET slug = 'c' WHERE id = 2;
             UPDATE jobs SET slug = 'b' WHERE id = 1; UPDATE pairs SET b = 11 WHERE n = 2; DELETE FROM pairs WHERE n = 3`,
          ),
      })
      const filling = before(target, {
        // The text of a row that is copied already goes to one that is not.
        write: () =>
          execute(
            from,
            `UPDATE jobs SET slug = 'tmp' WHERE id = 1; UPDATE jobs SET slug = 'a' WHERE id = 3;
             UPDATE jobs SET slug = 'c' WHERE id = 1`,
          ),
      })
      await new Transfer(interfering, filling, SILENT, { maxRows: 2, aboutChars: 1_000 }).run()
    })
    await execute(to, `INSERT INTO jobs (slug) VALUES ('next')`)
    const big = dialectOf(to) === 'sqlite' ? 'CAST(big AS TEXT)' : 'big::text'
    const hex = dialectOf(to) === 'sqlite' ? 'lower(hex(payload))' : `encode(payload, 'hex')`
    const jobs = await query(to, `SELECT id, slug, weight, ${big} AS big, ${hex} AS hex, parent FROM jobs ORDER BY id`)
    expect(jobs.map((job) => ({ ...job, hex: job['hex'] || null }))).toEqual([
      { id: 1, slug: 'b', weight: 0.1, big: '9007199254740993', hex: '00ff10', parent: 3 },
      { id: 2, slug: 'c', weight: 1e300, big: '-1', hex: null, parent: null },
      { id: 3, slug: 'a', weight: 3, big: null, hex: null, parent: null },
      // 4 was given out once.
      { id: 5, slug: 'next', weight: null, big: null, hex: null, parent: null },
    ])
    expect(await query(to, 'SELECT a, b, n FROM pairs ORDER BY n')).toEqual([
      { a: 'x', b: 10, n: 1 },
      { a: 'y', b: 11, n: 2 },
      { a: "it's", b: 10, n: 4 },
    ])
    const orphan = onTarget(to, `INSERT INTO jobs (slug, parent) VALUES ('orphan', 99)`)
    await expect(orphan).rejects.toMatchObject({ message: expect.stringMatching(/foreign key/i) })
  })

  it.each(['SQLite', 'PostgreSQL'])('lets the writers of %s go on when the last rest takes too long', async (kind) => {
    const [from, to] =
      kind === 'SQLite' ? [await sqlite(), await migratedPostgres()] : [await migratedPostgres(), await sqlite()]
    await fill(from, 3)
    await withSides(from, to, async (source, target) => {
      const never = () => new Promise<void>(() => undefined)
      const stopWrites = source.stopWrites.bind(source)
      source.stopWrites = (tables, work) =>
        stopWrites(tables, (view, seal) => within(50, never).then(() => work(view, seal)))
      const run = new Transfer(source, target, SILENT).run()
      await expect(run).rejects.toThrow(/longer than 0.05 s: writers go on, nothing is sealed/)
    })
    await execute(from, `UPDATE personas SET name = 'written on'`)
    await withSides(from, to, (source, target) => new Transfer(source, target, SILENT).run())
    expect((await personasOf(to)).map(({ name }) => name)).toEqual(Array(3).fill('written on'))
  })
})

/** Runs SQL with foreign keys in force, as the service has them. */
function onTarget(url: string, sql: string): Promise<void> {
  return execute(url, dialectOf(url) === 'sqlite' ? `PRAGMA foreign_keys = ON; ${sql}` : sql)
}
