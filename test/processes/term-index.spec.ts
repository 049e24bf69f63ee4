import { afterEach, describe, expect, it } from '@jest/globals'
import { onEachDatabase } from '../support/databases.js'
import { aPersona } from './a-persona.js'
import { Sandbox } from './sandbox.js'
import { until } from './until.js'

onEachDatabase((kind) => {
  describe('the index of words', () => {
    const sandbox = new Sandbox(kind)
    afterEach(() => sandbox.clear())

    it('is made of what was there before the server, and kept by the process at its root', async () => {
      const database = await sandbox.database()
      const insert = (
        id: string,
        name: string,
      ) => `INSERT INTO personas (id, name, appearance, personality, created_at, updated_at)
        VALUES ('${id}', '${name}', 'red coat', 'calm', '2026-01-02 03:04:05', '2026-01-02 03:04:05')`
      await database.query(insert('019aaf3e-0000-7000-8000-000000000001', 'Ada'))
      const termsOf = async (name: string) => {
        const own = `SELECT id FROM personas WHERE name = '${name}'`
        const queue = await database.query(`SELECT seq FROM personas_unindexed WHERE persona_id IN (${own})`)
        const terms = await database.query(`SELECT term FROM persona_terms WHERE persona_id IN (${own}) ORDER BY term`)
        return queue.length === 0 && terms.length > 0 && terms.map(({ term }) => String(term))
      }
      // A root of its own on one database, and one that serves itself on the other.
      const server = await sandbox.start({ database, workers: kind === 'SQLite' ? 2 : 1 })
      expect(await until('the old one is indexed', () => termsOf('Ada'))).toEqual(['wada', 'wcalm', 'wcoat', 'wred'])
      const body = aPersona({
        name: 'Zoë',
        appearance: 'tall, tall, tall',
        personality: 'calm as calm',
        content_themes: ['Go'],
      })
      await sandbox.connect(server).request('POST', '/api/v1/personas/', { body })
      const zoe = ['tGo', 'was', 'wcalm', 'wgo', 'wtall', 'wzoe']
      expect(await until('the new one is indexed', () => termsOf('Zoë'))).toEqual(zoe)
    })
  })
})
