import { afterAll, describe, expect, it } from '@jest/globals'
import { readMigrationFiles } from '../../src/database/migrations/migration-files.js'
import { onEachDatabase } from '../support/databases.js'
import { aPersona } from './a-persona.js'
import { Sandbox } from './sandbox.js'

interface Difference {
  readonly title: string
  /** What makes the difference, run on a database that was current; MIGRATION stands for the first migration's name. */
  readonly sql: string
  readonly env?: Readonly<Record<string, string>>
  /** What the message must hold; ALL stands for the names of all migrations. */
  readonly says: readonly string[]
}

const differences: readonly Difference[] = [
  {
    title: 'is ahead of the code',
    sql: `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
          VALUES ('1', 'x', '99990101000000_from_the_future', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, 1)`,
    says: ['ahead of the code', '99990101000000_from_the_future', 'Start the version that applied them'],
  },
  {
    title: 'has a migration that was edited since',
    sql: `UPDATE _prisma_migrations SET checksum = 'of other text' WHERE migration_name = 'MIGRATION'`,
    says: ['MIGRATION was edited', 'Bring the file back', 'npx prisma migrate dev'],
  },
  {
    title: 'has a migration that failed half-way',
    sql: `UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = 'MIGRATION'`,
    says: ['MIGRATION failed half-way', 'npx prisma migrate resolve --rolled-back MIGRATION'],
  },
  {
    title: 'is behind the code, and must not be migrated',
    sql: 'DROP TABLE personas; DROP TABLE _prisma_migrations',
    env: { MIGRATE_ON_START: 'false' },
    says: ['behind the code: ALL not applied', 'npx prisma migrate deploy', 'MIGRATE_ON_START=true'],
  },
]

onEachDatabase((kind) => {
  describe('the start', () => {
    const sandbox = new Sandbox(kind)
    const migrations = readMigrationFiles(kind === 'SQLite' ? 'sqlite' : 'postgresql').map(({ name }) => name)
    const named = (text: string) =>
      text.replaceAll('MIGRATION', migrations[0] ?? '').replaceAll('ALL', migrations.join(', '))
    afterAll(() => sandbox.clear())

    it.each(differences)('is refused when the database $title', async ({ sql, env = {}, says }) => {
      const database = await sandbox.database()
      await database.query(named(sql))
      const server = sandbox.launch({ database, workers: 2, env })
      expect(await server.closed).toEqual({ code: 1, signal: null })
      for (const part of says) expect(server.stderr).toContain(named(part))
      expect(server.stderr).not.toMatch(/\n\s+at /)
      expect(server.lines).toEqual([])
    })

    it('is refused on an empty database that must not be migrated', async () => {
      const database = await sandbox.emptyDatabase()
      const server = sandbox.launch({ database, env: { MIGRATE_ON_START: 'false' } })
      expect(await server.closed).toEqual({ code: 1, signal: null })
      expect(server.stderr).toContain(named('behind the code: ALL not applied'))
      expect(server.stderr).toContain('npx prisma migrate deploy')
    })

    it('of two servers at the same moment on a new database migrates once, and both serve', async () => {
      const database = await sandbox.emptyDatabase()
      const [one, other] = await Promise.all([sandbox.start({ database }), sandbox.start({ database })])
      const select = 'SELECT migration_name, applied_steps_count FROM _prisma_migrations'
      const history = await database.query(`${select} ORDER BY migration_name`)
      expect(history).toEqual(migrations.map((name) => ({ migration_name: name, applied_steps_count: 1 })))
      const created = await sandbox.connect(one).create(aPersona())
      expect(created.status).toBe(201)
      expect(await sandbox.connect(other).read(created.body.id)).toMatchObject({ status: 200, body: created.body })
    })
  })
})
