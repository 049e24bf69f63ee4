import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import BetterSqlite3 from 'better-sqlite3'
import fc from 'fast-check'
import type { Database } from '../../src/database/database.js'
import type { PersonaFields } from '../../src/personas/persona.js'
import { WIRE_NAMES } from '../../src/personas/persona.mapper.js'
import { toColumns } from '../../src/personas/persona.row.js'
import { PrismaPersonaRepository } from '../../src/personas/prisma-persona.repository.js'
import { CachedReads } from '../../src/personas/reads/cached-reads.js'
import { openPersonaReads } from '../../src/personas/reads/open-persona-reads.js'
import type { PersonaReads } from '../../src/personas/reads/persona.reads.js'
import { RepositoryReads } from '../../src/personas/reads/repository-reads.js'
import { parseSettings } from '../../src/config/settings.js'
import { scale, seed } from '../proof/scale.js'
import { databases, onEachDatabase, type TestDatabase } from '../support/databases.js'
import { aPersona, generatedFields as fields, NOBODY, OTHER_FIELDS } from './personas.js'

const PAGES = [
  { skip: 0, limit: 10, activeOnly: true },
  { skip: 1, limit: 2, activeOnly: false },
] as const
const BEYOND = { skip: 90, limit: 3, activeOnly: true }

type Step =
  | 'elsewhere'
  | { readonly create: PersonaFields }
  | { readonly update: PersonaFields; readonly to: number }
  | { readonly count: number; readonly to: number }
  | { readonly sql: string; readonly to: number }

/** What one of several processes does, or somebody past the service; the number says to whom. */
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ create: fields }),
  fc.record({ update: fields, to: fc.nat(5) }),
  fc.record({ count: fc.integer({ min: 1, max: 9 }), to: fc.nat(5) }),
  fc.record({
    sql: fc.constantFrom(
      `UPDATE personas SET name = 'by hand' WHERE ID`,
      `UPDATE personas SET content_themes = ' [ "spaced" , 1.0e2 ] ', is_active = NOT is_active WHERE ID`,
      `UPDATE personas SET created_at = '2026-05-06 07:08:09.012', version = version + 1 WHERE ID`,
      `UPDATE personas SET id = '019aaf3e-0000-7000-8000-000000000001' WHERE ID`,
      `DELETE FROM personas WHERE ID`,
    ),
    to: fc.nat(5),
  }),
  fc.constantFrom('elsewhere' as const),
)

// The reads that go past Prisma answer what Prisma answers, byte for byte, after every change by anyone.
onEachDatabase((kind) => {
  describe('reads past Prisma', () => {
    let database: TestDatabase
    let here: Database
    let there: Database
    let ids: string[]

    beforeEach(async () => {
      database = await databases[kind]()
      here = await database.connect()
      there = await database.connect()
      ids = []
    })
    afterEach(async () => {
      await here.close()
      await there.close()
      await database.remove()
    })

    const readsOf = (bytes: string) =>
      openPersonaReads(here, new PrismaPersonaRepository(here), parseSettings({ CACHE_BYTES: bytes }, false))

    it('are used', () => {
      expect(readsOf('33554432')).not.toBeInstanceOf(RepositoryReads)
      expect(here.directReads).not.toBeNull()
    })

    it.each(['33554432', '5000', '0'])(
      `equal Prisma's with a cache of %s bytes`,
      async (bytes) => {
        const past = readsOf(bytes)
        await fc.assert(
          fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
            for (const one of steps) {
              await take(one)
              await expectSame(past)
            }
          }),
          { seed, numRuns: scale.generatedRuns },
        )
      },
      scale.testTimeoutMs,
    )

    it('see a change of any field that somebody makes past the service', async () => {
      const past = readsOf('33554432')
      await take({ create: aPersona() })
      for (const [field, value] of Object.entries(toColumns(OTHER_FIELDS))) {
        const column = WIRE_NAMES[field as keyof PersonaFields]
        const text = typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value)
        await database.query(`UPDATE personas SET ${column} = ${text}`)
        await expectSame(past)
        expect(await past.find(String(ids[0]))).not.toEqual(null)
      }
    })

    if (kind === 'SQLite') {
      it.each([
        `style_preferences = '{"b":1,"1":2}'`,
        `style_preferences = '{"a":1,"a":2}'`,
        `style_preferences = '{"a":1.0,"b":-0,"c":1E3,"d":12345678901234567890}'`,
        `style_preferences = '{"a":' || char(10) || '1}'`,
        `style_preferences = '{"a":"\\u00e9\\/"}'`,
        `content_themes = '["[]' || char(92) || 'n{}"]'`,
        `allowed_content_ratings = '["sfw" ]'`,
        `platform_restrictions = char(9) || '{}'`,
        `name = 'one' || char(0) || 'two', appearance = char(34, 92, 47, 8, 127, 0x2028, 0x1f600)`,
        `personality = CAST(x'c328ff' AS TEXT)`,
        `base_image_path = '', base_appearance_description = char(13, 10, 9, 12, 1, 31)`,
        `created_at = '2026-05-06T07:08:09.012Z'`,
        `created_at = '2026-05-06T07:08:09.012+02:00'`,
        `created_at = '2026-05-06 07:08:09'`,
        `updated_at = 1767225600123`,
        `updated_at = '0001-01-01T00:00:00.000+00:00', generation_count = 2147483647, version = 2147483647`,
        `generation_count = 2.5, version = 7.9`,
      ])('of a row with %s', async (change) => {
        const past = readsOf('0')
        await take({ create: aPersona() })
        await take({ create: aPersona() })
        await database.query(`UPDATE personas SET ${change} WHERE id = '${String(ids[0])}'`)
        await expectSame(past)
      })

      it('make a page of the personas that are kept, but not of two states', async () => {
        const local = here.directReads
        if (local?.kind !== 'local') throw new Error('not on SQLite')
        const statements: string[] = []
        let between: (() => void) | undefined
        const past = new CachedReads(
          {
            kind: 'local',
            read: (work) =>
              local.read((file) =>
                work({
                  dataVersion: () => file.dataVersion(),
                  schemaVersion: () => file.schemaVersion(),
                  rows: (sql, values) => file.rows(sql, values),
                  plainRows: (sql, values) => {
                    statements.push(sql)
                    if (sql.startsWith('SELECT id FROM')) between?.()
                    return file.plainRows(sql, values)
                  },
                }),
              ),
          },
          1_000_000,
        )
        for (let n = 0; n < 4; n++) await take({ create: aPersona() })
        const [first, second] = ids
        await database.query(`UPDATE personas SET is_active = false WHERE id = '${second}'`)
        await expectSame(past)
        await take({ count: 1, to: ids.length })
        for (const id of ids) await past.find(id)
        statements.length = 0
        await expectSame(past)
        const pages = statements.filter((sql) => sql.includes('ORDER BY'))
        expect(pages).toEqual(Array.from(PAGES, () => expect.stringMatching('^SELECT id FROM')))

        // Another process writes before the ids are read, and after it was asked what has changed.
        await take({ count: 1, to: ids.length })
        for (const id of ids) await past.find(id)
        const other = new BetterSqlite3(database.url.slice('file:'.length))
        between = () => {
          between = undefined
          other.exec(
            `UPDATE personas SET name = 'after', is_active = (id = '${second}') WHERE id IN ('${first}', '${second}')`,
          )
        }
        const page = JSON.parse((await past.findPage(PAGES[0])).body.toString()) as { is_active: boolean }[]
        other.close()
        expect([between, page.length]).toEqual([undefined, 3])
        expect(page.filter((persona) => !persona.is_active)).toEqual([])
        await expectSame(past)
      })

      it('are right without the triggers of the history, and with others again', async () => {
        const past = readsOf('33554432')
        await take({ create: aPersona() })
        await expectSame(past)
        const [trigger] = await database.query(`SELECT sql FROM sqlite_master WHERE name = 'personas_revision_update'`)
        await database.query('DROP TRIGGER personas_revision_update')
        for (const name of ['unseen', 'by the history']) {
          await database.query(`UPDATE personas SET name = '${name}'`)
          await expectSame(past)
        }
        await database.query(String(trigger?.['sql']))
        await database.query(`UPDATE personas SET name = 'seen again'`)
        await expectSame(past)
      })

      it('are right after another history has taken the place of the one that was followed', async () => {
        const past = readsOf('33554432')
        for (let n = 0; n < 3; n++) await take({ create: aPersona() })
        await expectSame(past)
        await database.query(`BEGIN; DELETE FROM persona_revisions WHERE seq > 1;
          DELETE FROM sqlite_sequence; UPDATE personas SET name = 'of another history'; COMMIT`)
        await expectSame(past)
      })

      it('are right after a persona was erased together with its history', async () => {
        const past = readsOf('33554432')
        for (let n = 0; n < 2; n++) await take({ create: aPersona() })
        await expectSame(past)
        const [first] = ids
        await database.query(`BEGIN; DELETE FROM personas WHERE id = '${first}';
          DELETE FROM persona_revisions WHERE persona_id = '${first}'; COMMIT`)
        await expectSame(past)
        await database.query(
          `UPDATE personas SET name = 'redacted'; DELETE FROM persona_revisions WHERE seq = (SELECT max(seq) FROM persona_revisions)`,
        )
        await expectSame(past)
      })

      it('follow more changes than are looked at one by one', async () => {
        const past = readsOf('33554432')
        await take({ create: aPersona() })
        await expectSame(past)
        await database.query(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
          INSERT INTO persona_revisions (persona_id, version, kind, changed, schema, at)
          SELECT 'x' || i, 1, 'erased', '[]', 1, '2026-01-01' FROM n;
          UPDATE personas SET name = 'after many'`)
        await expectSame(past)
      })
    }

    /** By another set of connections, as by another worker, but for "here". */
    async function take(one: Step): Promise<void> {
      if (one === 'elsewhere') {
        await there.probeWrite()
        return
      }
      const repository = new PrismaPersonaRepository('create' in one || one.to % 2 ? there : here)
      if ('create' in one) {
        const { id } = await repository.insert(aPersona(one.create), NOBODY)
        ids = [...ids, id].slice(-5)
        return
      }
      const id = ids[one.to % Math.max(1, ids.length)] ?? '019aaf3e-0000-7000-8000-000000000000'
      if ('update' in one) await repository.updateIf(id, one.update, {}, NOBODY)
      else if ('count' in one) await repository.addGenerations(id, one.count, NOBODY)
      // A second one cannot have the same id: then nothing changes.
      else await database.query(one.sql.replace('WHERE ID', `WHERE id = '${id}'`)).catch(() => undefined)
    }

    async function expectSame(past: PersonaReads): Promise<void> {
      const prismas = new RepositoryReads(new PrismaPersonaRepository(here))
      for (const id of [...ids, '019aaf3e-0000-7000-8000-000000000001']) {
        expect(shown(await past.find(id))).toEqual(shown(await prismas.find(id)))
      }
      for (const page of [...PAGES, BEYOND]) {
        const [one, other] = [await past.findPage(page), await prismas.findPage(page)]
        expect(shown(one)).toEqual(shown(other))
      }
    }
  })
})

// Byte for byte: what is no UTF-8 would be, as text, what it is replaced by.
function shown<T extends { readonly body: Buffer }>(found: T | null) {
  return found && { ...found, body: found.body.toString('latin1') }
}
