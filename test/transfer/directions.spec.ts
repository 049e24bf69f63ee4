import { afterAll, afterEach, describe, expect, it } from '@jest/globals'
import BetterSqlite3 from 'better-sqlite3'
import { join } from 'node:path'
import type { ChangesResource } from '../../src/personas/changes/change.resource.js'
import { TestApp } from '../http/support.js'
import { Ledger } from '../proof/ledger.js'
import { Load } from '../proof/load.js'
import { aPersona } from '../processes/a-persona.js'
import { Sandbox } from '../processes/sandbox.js'
import type { TestDatabase } from '../support/databases.js'
import { closePostgres, fill, gator, leftovers, migratedPostgres, personasOf, query } from './support.js'

const ROWS = 3_000
const WRITERS = 4
const CHANGES = '/api/v1/personas/changes'

interface Direction {
  readonly from: () => Promise<string>
  readonly to: () => Promise<string>
  /** Processes that write to the source: to a file more than one, since they share it by its locks alone. */
  readonly workers: number
}

describe('a transfer while the server is in service', () => {
  const sandbox = new Sandbox()
  const loads: Load[] = []
  const sqlite = () => Promise.resolve(`file:${join(sandbox.folder(), 'gator.db')}`)
  const directions: Readonly<Record<string, Direction>> = {
    'SQLite to PostgreSQL': { from: sqlite, to: migratedPostgres, workers: 2 },
    'PostgreSQL to SQLite': { from: migratedPostgres, to: sqlite, workers: 1 },
  }

  afterEach(async () => {
    await Promise.all(loads.splice(0).map((load) => load.stop()))
    await sandbox.clear()
  })
  afterAll(async () => {
    await sandbox.clear()
    await closePostgres()
  })

  it.each(Object.keys(directions))(
    '%s loses no acknowledged write, and the old server refuses the next one',
    async (name) => {
      const direction = directions[name] as Direction
      const [from, to] = [await direction.from(), await direction.to()]
      await fill(from, ROWS)
      const server = await sandbox.start({ workers: direction.workers, env: { DATABASE_URL: from } })
      const { next } = (await (await fetch(`${server.url}${CHANGES}`)).json()) as ChangesResource
      const ledger = new Ledger()
      const load = new Load({ ledger, writers: WRITERS, connect: () => sandbox.connect(server), name: 'Live' })
      loads.push(load)
      await load.progress(WRITERS)
      const command = gator(sandbox.emptyFolder(), 'transfer', '--from', from, '--to', to, '--json')
      const { code, stdout, stderr } = await command.ended
      await load.stop()
      expect({ code, stderr, stdout: code ? stdout : '' }).toEqual({ code: 0, stderr: '', stdout: '' })

      const result = JSON.parse(stdout) as Record<string, unknown>
      expect(result).toMatchObject({
        ok: true,
        state: 'moved',
        tables: [
          { name: 'api_keys' },
          { name: 'change_feed' },
          { name: 'idempotency_keys' },
          { name: 'persona_counts' },
          { name: 'persona_revisions' },
          { name: 'persona_terms' },
          { name: 'personas' },
          { name: 'personas_unindexed' },
        ],
      })
      expect(result['changes']).toBeGreaterThan(0)
      expect(result['stopMs']).toBeGreaterThan(0)

      const connection = sandbox.connect(server)
      const refused = await connection.create(aPersona({ name: 'Too late' }))
      expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '5' } })
      expect(refused.body).toMatchObject({ type: 'urn:gator-personas:problem:database-moved' })
      const [row] = await query(to, 'SELECT id FROM personas LIMIT 1')
      expect(await connection.update(String(row?.['id']), { name: 'Too late' })).toMatchObject({ status: 503 })
      expect(await connection.read(String(row?.['id']))).toMatchObject({ status: 200 })

      const [old, moved] = [await personasOf(from), await personasOf(to)]
      expect(moved).toEqual(old)
      const history = 'SELECT seq, persona_id, kind, state, request_id FROM persona_revisions ORDER BY seq'
      expect((await query(to, history)).map(comparable)).toEqual((await query(from, history)).map(comparable))
      expect(verdictOn(moved, ledger)).toEqual([])
      // An id of the source goes on to be good.
      const told = await (await fetch(`${server.url}${CHANGES}?after=${next}`)).json()
      const app = await TestApp.start({ url: to } as TestDatabase)
      const toldThere = (await app.get(`${CHANGES}?after=${next}`)).json<ChangesResource>()
      await app.close()
      expect([toldThere, toldThere.reset, toldThere.changes.length > 0]).toEqual([told, null, true])
      expect(moved.length).toBeGreaterThan(ROWS)
      expect(ledger.total('acknowledged')).toBeGreaterThan(WRITERS)
      expect(await leftovers(to)).toEqual([])
    },
  )
})

/** A revision in a form that does not depend on its database: numbers of 64 bits arrive as text from PostgreSQL. */
function comparable({ seq, ...others }: Record<string, unknown>): Record<string, unknown> {
  return { seq: Number(seq), ...others }
}

/** The ledger's judgement on what the load has made, whichever database it lies in. */
function verdictOn(rows: readonly Record<string, unknown>[], ledger: Ledger): string[] {
  const database = new BetterSqlite3(':memory:')
  database.exec('CREATE TABLE personas (id TEXT PRIMARY KEY, name TEXT, generation_count INTEGER)')
  const insert = database.prepare('INSERT INTO personas VALUES (?, ?, ?)')
  for (const { id, name, generation_count: count } of rows) {
    if (String(name).startsWith('Live')) insert.run(id, name, count)
  }
  const verdict = ledger.judge(database)
  database.close()
  return verdict
}
