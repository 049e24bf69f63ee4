import { describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import { parseSettings } from '../../src/config/settings.js'
import { PrismaPersonaRepository } from '../../src/personas/prisma-persona.repository.js'
import { RevisionRetention } from '../../src/retention/revision-retention.js'
import { databases } from '../support/databases.js'
import { aPersona, NOBODY } from './personas.js'

const DAY_MS = 86_400_000
/** Who follows the changes may be away for so long, and miss nothing. */
const KEPT_FOR_MS = 15 * 60_000
const MARGIN_MS = 30_000

describe.each(Object.entries(databases))('the retention of revisions on %s', (_name, create) => {
  it('deletes by count and by age, over many batches, but never the last', async () => {
    const database = await create()
    const connection = await database.connect()
    const repository = new PrismaPersonaRepository(connection)
    const sweep = (environment: Record<string, string>, laterMs = KEPT_FOR_MS + MARGIN_MS) => {
      const settings = parseSettings({ DATABASE_URL: database.url, ...environment }, false)
      return new RevisionRetention(settings, pino({ level: 'silent' })).sweep(Date.now() + laterMs)
    }
    const versionsOf = async (personaId: string) => {
      const found = await connection.read((client) =>
        client.personaRevision.findMany({ where: { personaId }, orderBy: { seq: 'asc' } }),
      )
      return found.map(({ version }) => version)
    }
    const floorOf = async () => Number((await database.query('SELECT floor FROM change_feed'))[0]?.['floor'] ?? 0)
    const agedBy = (personaId: string, version: number, days: number) =>
      connection.write((client) =>
        client.personaRevision.updateMany({
          where: { personaId, version },
          data: { at: new Date(Date.now() - days * DAY_MS) },
        }),
      )
    try {
      const [busy, old, single] = [aPersona(), aPersona(), aPersona()]
      for (const persona of [busy, old, single]) await repository.insert(persona, NOBODY)
      for (let n = 0; n < 1_203; n++) await repository.addGenerations(busy.id, 1, NOBODY)
      for (const name of ['Two', 'Three', 'Four']) await repository.updateIf(old.id, { name }, {}, NOBODY)
      for (const [version, days] of [
        [1, 40],
        [2, 31],
        [3, 29],
      ] as const)
        await agedBy(old.id, version, days)
      await agedBy(single.id, 1, 400)

      expect([await sweep({}), await floorOf()]).toEqual([0, 0])
      // What a clock that was wrong has made late keeps what came after it.
      await agedBy(old.id, 1, -1)
      expect(await sweep({ REVISIONS_MAX_AGE_DAYS: '30' })).toBe(0)
      await agedBy(old.id, 1, 40)
      expect(await sweep({ REVISIONS_MAX_AGE_DAYS: '30' })).toBe(2)
      expect(await versionsOf(old.id)).toEqual([3, 4])
      expect(await versionsOf(single.id)).toEqual([1])
      // The third persona's first change was the third of all, and 1,203 generations came before the second one of the old.
      expect(await floorOf()).toBe(3 + 1_203 + 1)
      expect(await sweep({ REVISIONS_KEEP: '2' }, KEPT_FOR_MS - MARGIN_MS)).toBe(0)
      expect(await sweep({ REVISIONS_KEEP: '2' })).toBe(1_202)
      expect((await versionsOf(busy.id)).length).toBe(2)
      expect(await floorOf()).toBe(3 + 1_203 + 1)
      expect(await sweep({ REVISIONS_KEEP: '1', REVISIONS_MAX_AGE_DAYS: '1' })).toBe(2)
      for (const [{ id }, version] of [
        [busy, 1],
        [old, 4],
        [single, 1],
      ] as const)
        expect(await versionsOf(id)).toEqual([version])
      expect(await floorOf()).toBe(3 + 1_203 + 2)
    } finally {
      await connection.close()
      await database.remove()
    }
  })
})
