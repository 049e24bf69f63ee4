import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { sharedPostgres, startPostgres } from './postgres.js'

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql)
    return rows
  } finally {
    await client.end()
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('startPostgres', () => {
  it('serves a UTF8 cluster with the settings that were asked for', async () => {
    const server = await startPostgres({ settings: { fsync: 'on', lock_timeout: '1234ms' } })
    try {
      const rows = await query(
        server.adminUrl,
        `SELECT version() LIKE 'PostgreSQL %' AS version, current_setting('server_encoding') AS encoding,
                current_setting('fsync') AS fsync, current_setting('lock_timeout') AS lock_timeout,
                current_setting('listen_addresses') AS addresses, current_setting('unix_socket_directories') AS sockets`,
      )
      expect(rows).toEqual([
        { version: true, encoding: 'UTF8', fsync: 'on', lock_timeout: '1234ms', addresses: '127.0.0.1', sockets: '' },
      ])
    } finally {
      await server.stop()
    }
  })

  it.each(['fast', 'immediate'] as const)('leaves neither process nor folder after a %s stop', async (mode) => {
    const server = await startPostgres()
    const before = { isRunning: isRunning(server.pid), hasFolder: existsSync(server.dataDirectory) }
    await server.stop(mode)
    await server.stop(mode)
    expect(before).toEqual({ isRunning: true, hasFolder: true })
    expect(isRunning(server.pid)).toBe(false)
    expect(existsSync(dirname(server.dataDirectory))).toBe(false)
  })

  it('says why the server did not start', async () => {
    await expect(startPostgres({ settings: { no_such_setting: '1' } })).rejects.toThrow(/no_such_setting/)
  })
})

describe('sharedPostgres', () => {
  it('gives each caller an empty database of its own', async () => {
    const { createDatabase } = await sharedPostgres()
    const [first, second] = await Promise.all([createDatabase(), createDatabase()])
    await query(first, 'CREATE TABLE here (id int)')
    const count = "SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = 'public'"
    expect(await query(first, count)).toEqual([{ tables: 1 }])
    expect(await query(second, count)).toEqual([{ tables: 0 }])
  })
})
