import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { onEachDatabase } from '../support/databases.js'
import { Sandbox } from './sandbox.js'

interface Refusal {
  readonly title: string
  readonly env: Readonly<Record<string, string>>
  /** Every line after the first one. */
  readonly faults: readonly string[]
}

const refusals: readonly Refusal[] = [
  {
    title: 'names every bad setting in one message, and shows no value',
    env: { PORT: 'secret-1', WORKERS: 'secret-2', LOG_SQL: 'secret-3', DATABASE_URL: 'mysql://u:secret-4@host/db' },
    faults: [
      '  - PORT must be a whole number from 0 to 65535',
      '  - WORKERS must be a whole number from 1 to 64',
      '  - DATABASE_URL must be file:./data/gator.db (SQLite) or postgresql://user@host:5432/database (PostgreSQL)',
      '  - LOG_SQL must be true or false',
    ],
  },
  {
    title: 'tells the two forms of a database URL that are known',
    env: { DATABASE_URL: 'sqlite:gator.db' },
    faults: [
      '  - DATABASE_URL must be file:./data/gator.db (SQLite) or postgresql://user@host:5432/database (PostgreSQL)',
    ],
  },
]

// No setting is asked of a database: these end before one is opened.
describe('a server with settings that are not valid', () => {
  const sandbox = new Sandbox()
  afterEach(() => sandbox.clear())

  it.each(refusals)('$title', async ({ env, faults }) => {
    const folder = sandbox.emptyFolder()
    const server = sandbox.launch({ folder, env })
    expect(await server.closed).toEqual({ code: 1, signal: null })
    expect(server.stderr.trimEnd().split('\n')).toEqual(['The settings are not valid:', ...faults])
    expect(server.lines).toEqual([])
    expect(existsSync(join(folder, 'gator.db'))).toBe(false)
  })
})

onEachDatabase((kind) => {
  describe('a server whose port is taken', () => {
    const sandbox = new Sandbox(kind)
    afterEach(() => sandbox.clear())

    it('says once that the port is in use, whether it has workers or not', async () => {
      const other = createServer().listen(0, '127.0.0.1')
      await once(other, 'listening')
      const port = String((other.address() as AddressInfo).port)
      try {
        const database = await sandbox.database()
        const servers = [1, 2].map((workers) => sandbox.launch({ database, workers, env: { PORT: port } }))
        for (const server of servers) {
          expect(await server.closed).toEqual({ code: 1, signal: null })
          expect(server.stderr.trimEnd()).toBe(
            `Cannot listen on 127.0.0.1, port ${port}: the port is in use. ` +
              'Stop the process that listens there, or choose another PORT.',
          )
        }
      } finally {
        other.close()
      }
    })
  })
})
