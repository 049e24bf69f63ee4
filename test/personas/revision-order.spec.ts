import { describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { databases } from '../support/databases.js'

const insertOf = (id: string) =>
  `INSERT INTO personas (id, name, appearance, personality, created_at, updated_at)
   VALUES ('${id}', 'Sarah', 'short silver hair', 'curious and warm', now(), now())`

/** Up to which number the history is complete, as docs/history.md says how to find it; reading takes three snapshots. */
async function completeUpTo(client: pg.Client): Promise<number> {
  const last = await client.query<{ floor: string }>(
    'SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END AS floor FROM persona_revisions_seq_seq',
  )
  const open = await client.query<{ floor: string }>(
    `SELECT ((classid::bigint & 65535) << 32) | objid::bigint AS floor FROM pg_locks
     WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 16 = 26465 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  )
  return Math.min(...[...last.rows, ...open.rows].map(({ floor }) => Number(floor)))
}

describe('the numbers of the history on PostgreSQL', () => {
  it('tell up to where nothing can come any more, while transactions with lower ones are open', async () => {
    const database = await databases.PostgreSQL()
    const clients = Array.from({ length: 3 }, () => new pg.Client(database.url))
    const [early, late, reader] = clients as [pg.Client, pg.Client, pg.Client]
    await Promise.all(clients.map((client) => client.connect()))
    try {
      expect(await completeUpTo(reader)).toBe(0)
      await early.query(insertOf('before'))
      expect(await completeUpTo(reader)).toBe(1)
      await early.query('BEGIN')
      await early.query(insertOf('early, 2'))
      await late.query(insertOf('late, 3'))
      expect(await completeUpTo(reader)).toBe(1)
      await early.query(insertOf('early, 4'))
      expect(await completeUpTo(reader)).toBe(1)
      const locks = `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()`
      expect((await early.query(locks)).rows).toHaveLength(1)
      await early.query('COMMIT')
      expect(await completeUpTo(reader)).toBe(4)

      await early.query('BEGIN')
      await early.query(insertOf('gone, 5'))
      await early.query('ROLLBACK')
      expect(await completeUpTo(reader)).toBe(5)
      // The session's next transaction has a floor of its own.
      await early.query('BEGIN')
      await early.query(insertOf('again, 6'))
      expect(await completeUpTo(reader)).toBe(5)
      await early.query('COMMIT')
    } finally {
      await Promise.all(clients.map((client) => client.end()))
      await database.remove()
    }
  })

  it('have everybody who was there as erased after a TRUNCATE', async () => {
    const database = await databases.PostgreSQL()
    try {
      for (const id of ['one', 'other']) await database.query(insertOf(id))
      await database.query('TRUNCATE personas')
      const erased = `SELECT persona_id FROM persona_revisions WHERE kind = 'erased' ORDER BY persona_id`
      expect(await database.query(erased)).toEqual([{ persona_id: 'one' }, { persona_id: 'other' }])
      expect(await database.query('SELECT 1 FROM personas')).toEqual([])
    } finally {
      await database.remove()
    }
  })
})
