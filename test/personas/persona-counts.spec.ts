import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Client } from 'pg'
import type { Database } from '../../src/database/database.js'
import { PrismaPersonaRepository } from '../../src/personas/prisma-persona.repository.js'
import { saySeed, seed } from '../proof/scale.js'
import { databases, onEachDatabase, type TestDatabase } from '../support/databases.js'

const RUNS = 40

/** Few, so that they stand in each other's way. */
const id = fc.constantFrom(`'a'`, `'b'`, `'c'`, `'d'`)
const flag = fc.constantFrom('true', 'false')
const row = fc
  .tuple(id, flag)
  .map(([key, isActive]) => `(${key}, 'n', 'a', 'p', ${isActive}, '2026-01-02', '2026-01-02')`)
const rows = fc.array(row, { minLength: 1, maxLength: 3 }).map((some) => some.join(', '))
const COLUMNS = 'personas (id, name, appearance, personality, is_active, created_at, updated_at)'

const everywhere: fc.Arbitrary<string>[] = [
  rows.map((some) => `INSERT INTO ${COLUMNS} VALUES ${some} ON CONFLICT (id) DO NOTHING`),
  row.map(
    (one) => `INSERT INTO ${COLUMNS} VALUES ${one} ON CONFLICT (id) DO UPDATE SET is_active = excluded.is_active`,
  ),
  flag.map((isActive) => `UPDATE personas SET is_active = ${isActive}`),
  fc
    .tuple(id, flag)
    .map(([key, isActive]) => `UPDATE personas SET is_active = ${isActive}, name = 'x' WHERE id = ${key}`),
  fc
    .tuple(id, id)
    .map(
      ([from, to]) =>
        `UPDATE personas SET id = ${to} WHERE id = ${from} AND NOT EXISTS (SELECT 1 FROM personas WHERE id = ${to})`,
    ),
  fc.array(id, { minLength: 1, maxLength: 3 }).map((some) => `DELETE FROM personas WHERE id IN (${some.join(', ')})`),
  row.map((one) => `SAVEPOINT s; DELETE FROM personas; INSERT INTO ${COLUMNS} VALUES ${one}; ROLLBACK TO s; RELEASE s`),
]
const changes = {
  SQLite: [
    ...everywhere,
    rows.map((some) => `INSERT OR REPLACE INTO ${COLUMNS} VALUES ${some}`),
    rows.map((some) => `INSERT OR IGNORE INTO ${COLUMNS} VALUES ${some}`),
    fc.tuple(id, id).map(([from, to]) => `UPDATE OR REPLACE personas SET id = ${to} WHERE id = ${from}`),
    fc
      .tuple(id, id)
      .map(([from, to]) => `UPDATE OR IGNORE personas SET id = ${to}, is_active = true WHERE id = ${from}`),
  ],
  PostgreSQL: [...everywhere, fc.constant('TRUNCATE personas')],
}
/** A connection's own, and a shell's own. */
const recursion = {
  SQLite: [';PRAGMA recursive_triggers = ON;', ';PRAGMA recursive_triggers = OFF;'],
  PostgreSQL: [''],
}

onEachDatabase((kind) => {
  describe('the count of personas', () => {
    let database: TestDatabase
    let connection: Database

    beforeAll(async () => {
      saySeed()
      database = await databases[kind]()
      connection = await database.connect()
    })
    afterAll(async () => {
      await connection.close()
      await database.remove()
    })

    const counted = async () => {
      const repository = new PrismaPersonaRepository(connection)
      return { total: await repository.count(false), active: await repository.count(true) }
    }
    const there = async () => {
      const [row] = await database.query(
        'SELECT count(*) AS total, count(*) FILTER (WHERE is_active) AS active FROM personas',
      )
      return { total: Number(row?.['total']), active: Number(row?.['active']) }
    }

    it.each(recursion[kind])('is that of the personas, whatever is written by whomever: %s', async (prefix) => {
      const script = fc.array(fc.oneof(...changes[kind]), { minLength: 1, maxLength: 12 })
      await fc.assert(
        fc.asyncProperty(script, fc.constantFrom('COMMIT', 'ROLLBACK'), async (statements, end) => {
          await database.query(`${prefix} BEGIN; ${statements.join('; ')}; ${end}`)
          expect(await counted()).toEqual(await there())
        }),
        { seed, numRuns: RUNS, endOnFailure: true },
      )
    })

    if (kind === 'PostgreSQL') {
      it('makes no writer wait for another, and goes on in rows that are there', async () => {
        await database.query('TRUNCATE personas')
        const clients = Array.from({ length: 3 }, () => new Client({ connectionString: database.url }))
        for (const client of clients) await client.connect()
        const insert = (key: string) => `INSERT INTO ${COLUMNS} VALUES ('${key}', 'n', 'a', 'p', true, now(), now())`
        for (const round of ['one', 'two']) {
          for (const [n, client] of clients.entries()) {
            await client.query(`BEGIN; SET LOCAL lock_timeout = 1; ${insert(`${round} ${n}`)}`)
          }
          expect(await counted()).toEqual(await there())
          for (const [n, client] of clients.entries()) await client.query(`${insert(`${round} again ${n}`)}; COMMIT`)
          expect(await counted()).toEqual(await there())
        }
        for (const client of clients) await client.end()
        expect(await counted()).toEqual({ total: 12, active: 12 })
        expect(await database.query('SELECT total FROM persona_counts')).toHaveLength(clients.length)
      })
    }
  })
})
