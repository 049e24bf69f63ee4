import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import type { Database } from '../../src/database/database.js'
import { DatabaseUnavailableError, WriteLockTimeoutError } from '../../src/database/database-errors.js'
import { PostgresqlDatabase } from '../../src/database/postgresql/postgresql-database.js'
import { databases, type TestDatabase } from '../support/databases.js'
import { aPersonaRow } from '../support/persona-rows.js'
import { startPostgres } from '../support/postgres.js'

const ID = '019aaf3e-8f63-7b12-9d3c-2f1f5d0c8a11'
const rename = (database: Database) =>
  database.write((client) => client.persona.updateMany({ where: { id: ID }, data: { name: 'changed' } }))

/** A foreign session that holds a row until it is told to let go. */
async function holdRow(url: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('BEGIN')
  await client.query('SELECT 1 FROM personas WHERE id = $1 FOR UPDATE', [ID])
  return () => client.end()
}

describe('PostgreSQL', () => {
  let temporary: TestDatabase

  beforeAll(async () => {
    temporary = await databases.PostgreSQL()
    const database = await temporary.connect()
    await database.write((client) => client.persona.create({ data: aPersonaRow({ id: ID }) }))
    await database.close()
  })

  afterAll(() => temporary.remove())

  const open = (busyTimeoutMs: number, statements?: string[]) =>
    PostgresqlDatabase.open({
      url: temporary.url,
      busyTimeoutMs,
      transactionTimeoutMs: 1_000,
      ...(statements && { onStatement: ({ sql }) => statements.push(sql) }),
    })

  it.each([0, 100])('refuses a write whose row is locked for longer than %i ms', async (busyTimeoutMs) => {
    const database = open(busyTimeoutMs)
    const release = await holdRow(temporary.url)
    await expect(rename(database)).rejects.toBeInstanceOf(WriteLockTimeoutError)
    await release()
    await expect(rename(database)).resolves.toEqual({ count: 1 })
    await database.close()
  })

  it('says that the database is unavailable when every connection is taken, and recovers', async () => {
    const database = open(20_000)
    const release = await holdRow(temporary.url)
    const writes = Array.from({ length: 10 }, () => rename(database))
    await expect(database.probe()).rejects.toBeInstanceOf(DatabaseUnavailableError)
    await release()
    await expect(Promise.all(writes)).resolves.toHaveLength(10)
    await expect(database.probe()).resolves.toBeUndefined()
    await database.close()
  })

  it('says that the database is unavailable when the server is gone', async () => {
    const server = await startPostgres()
    const database = PostgresqlDatabase.open({ url: server.adminUrl, busyTimeoutMs: 100, transactionTimeoutMs: 100 })
    await server.stop('immediate')
    await expect(database.probe()).rejects.toBeInstanceOf(DatabaseUnavailableError)
    await database.close()
  })

  it('tells of every statement, BEGIN and COMMIT included', async () => {
    const statements: string[] = []
    const database = open(1_000, statements)
    await database.transaction((client) => client.persona.updateMany({ where: { id: ID }, data: { name: 'again' } }))
    await rename(database)
    await database.close()
    expect(statements.map((sql) => sql.split(' ')[0])).toEqual(['BEGIN', 'UPDATE', 'COMMIT', 'UPDATE'])
  })
})
