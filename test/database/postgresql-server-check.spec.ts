import { beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { checkServer } from '../../src/database/postgresql/server-check.js'
import { sharedPostgres } from '../support/postgres.js'

describe('the check of a PostgreSQL server at the start', () => {
  let url: string
  beforeAll(async () => {
    url = await (await sharedPostgres()).createDatabase()
  })
  const execute = async (sql: string) => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(sql).finally(() => client.end())
  }
  const databaseName = () => new URL(url).pathname.slice(1)

  // Three of the connections of the tests' server are for superusers.
  it('counts the connections of all workers against those that the server permits', async () => {
    await expect(checkServer(url, 4, 97)).resolves.toMatchObject({ refusal: undefined })
    await expect(checkServer(url, 4, 98)).resolves.toMatchObject({
      refusal: expect.stringMatching(
        /^4 WORKERS with a DATABASE_POOL_SIZE of 98 may open 500 connections.*permits 497:.*max_connections/,
      ),
    })
  })

  it('knows the limit of the database', async () => {
    await execute(`ALTER DATABASE ${databaseName()} CONNECTION LIMIT 12`)
    await expect(checkServer(url, 1, 10)).resolves.toMatchObject({ refusal: undefined })
    await expect(checkServer(url, 2, 3)).resolves.toMatchObject({ refusal: expect.stringContaining('permits 12') })
    await execute(`ALTER DATABASE ${databaseName()} CONNECTION LIMIT -1`)
  })

  it('leaves the number to a pooler', async () => {
    await expect(checkServer(`${url}?pgbouncer=true`, 64, 100)).resolves.toMatchObject({ refusal: undefined })
  })

  it('warns of a server that acknowledges what a crash may take', async () => {
    const fsync = expect.stringContaining('fsync = off')
    expect((await checkServer(url, 1, 2)).warnings).toEqual([fsync])
    await execute(`ALTER DATABASE ${databaseName()} SET synchronous_commit = off`)
    expect((await checkServer(url, 1, 2)).warnings).toEqual([
      expect.stringContaining('synchronous_commit = off'),
      fsync,
    ])
  })
})
