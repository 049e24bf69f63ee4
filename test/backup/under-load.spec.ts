import { readdirSync } from 'node:fs'
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import BetterSqlite3 from 'better-sqlite3'
import { listBackups } from '../../src/backup/folder.js'
import { restoreBackup } from '../../src/backup/restore.js'
import { takeBackup, verifyBackup } from '../../src/backup/take-backup.js'
import { readMigrationFiles } from '../../src/database/migrations/migration-files.js'
import { findDamage } from '../proof/oracles.js'
import { Ledger } from '../proof/ledger.js'
import { Load } from '../proof/load.js'
import { Sandbox } from '../processes/sandbox.js'
import { onEachDatabase, type TestDatabase } from '../support/databases.js'
import { gator } from '../support/gator.js'
import { missingFor, settingsOf } from './support.js'

const WORKERS = 2
const WRITERS = 4
/** The processor is for the backup, too. */
const REST_MS = 5
const WRITES = 60
const TIMEOUT_MS = 60_000
const PERSONAS = 'SELECT id, generation_count FROM personas'

describe('a backup under load', () => {
  onEachDatabase((kind) => {
    const sandbox = new Sandbox(kind)
    let missing: string | undefined
    beforeAll(async () => {
      missing = await missingFor(kind)
    })
    afterEach(() => sandbox.clear())

    async function generations(database: TestDatabase): Promise<Map<string, number>> {
      const rows = await database.query(PERSONAS)
      return new Map(rows.map(({ id, generation_count: count }) => [String(id), Number(count)]))
    }

    /** Every acknowledged write of before a time that a database does not have. */
    async function lostIn(database: TestDatabase, load: Load, before: number): Promise<string[]> {
      const restored = await generations(database)
      const acknowledged = load.outcomes.filter(({ fate, at }) => fate === 'acknowledged' && at < before)
      expect(acknowledged.length).toBeGreaterThanOrEqual(WRITES)
      return acknowledged
        .map(({ answer }) => ({ id: answer?.body.id, generation_count: answer?.body['generation_count'] }))
        .filter(({ id, generation_count: count }) => (restored.get(String(id)) ?? -1) < Number(count))
        .map(({ id, generation_count: count }) => `${String(id)} at ${String(count)}`)
    }

    const promise = 'has every write that was acknowledged before it began; restored elsewhere, and in place'
    const run = async () => {
      if (missing !== undefined) return
      const folder = sandbox.emptyFolder()
      const database = await sandbox.database()
      const server = await sandbox.start({ database, folder, workers: WORKERS })
      const settings = settingsOf(database.url, folder)
      const connect = () => sandbox.connect(server)
      const load = new Load({ ledger: new Ledger(), writers: WRITERS, connect, name: 'Backup', restMs: REST_MS })
      try {
        // Begins the epoch of this database.
        expect((await fetch(`${server.url}/api/v1/personas/changes`)).status).toBe(200)
        await load.progress(WRITES)
        const start = performance.now()
        const { file, manifest } = await takeBackup(settings)
        const end = performance.now()
        const meanwhile = load.outcomes.filter(({ fate, at }) => fate === 'acknowledged' && at > start && at < end)
        expect(meanwhile.length).toBeGreaterThan(0)
        await load.progress(WRITES)

        const elsewhere = await sandbox.emptyDatabase()
        expect(await restoreBackup(settingsOf(elsewhere.url, folder), file)).toMatchObject({
          pending: [],
          replaced: null,
        })
        expect(await lostIn(elsewhere, load, start)).toEqual([])
        const restored = await generations(elsewhere)
        expect(manifest.rows['personas']).toBe(restored.size)
        expect([await epochsOf(database), await epochsOf(elsewhere)]).toEqual([1, 0])
        expect(manifest.migrations.map(({ name }) => name)).toEqual(
          readMigrationFiles(kind === 'SQLite' ? 'sqlite' : 'postgresql').map(({ name }) => name),
        )

        await expect(restoreBackup(settings, file)).rejects.toThrow(/is in use \(.+\): stop the servers/)
        const env = { DATABASE_URL: database.url, BACKUP_DIRECTORY: settings.backup.directory }
        const { code, stdout } = await gator(['doctor', '--json'], { folder, env })
        const { findings } = JSON.parse(stdout) as { findings: { about: string; level: string }[] }
        expect({ code, red: findings.filter(({ level }) => level === 'red') }).toEqual({ code: 0, red: [] })
        await load.stop()
        await server.stop()

        const live = await generations(database)
        const { replaced } = await restoreBackup(settings, file)
        expect(await generations(database)).toEqual(restored)
        // It begins one of its own: nobody goes on in it who has followed another history of the same numbers.
        expect(await epochsOf(database)).toBe(0)
        await assertKept(String(replaced), live)
        if (kind === 'SQLite') expect(damageOf(database.url.replace('file:', ''))).toEqual([])
      } finally {
        await load.stop()
      }

      async function assertKept(kept: string, live: Map<string, number>): Promise<void> {
        if (kind === 'SQLite') {
          const rows = opened(kept, (opening) => opening.prepare<[], [string, number]>(PERSONAS).raw().all())
          return expect(new Map(rows)).toEqual(live)
        }
        expect((await verifyBackup(kept)).rows['personas']).toBe(live.size)
        expect(listBackups(settings.backup.directory).map(({ file: path }) => path)[0]).toBe(kept)
        expect(readdirSync(settings.backup.directory).filter((name) => name.includes('partial'))).toEqual([])
      }
    }
    it(promise, run, TIMEOUT_MS)
  })
})

async function epochsOf(database: TestDatabase): Promise<number> {
  return (await database.query('SELECT epoch FROM change_feed')).length
}

function damageOf(file: string): string[] {
  return opened(file, findDamage)
}

function opened<T>(file: string, work: (database: BetterSqlite3.Database) => T): T {
  const database = new BetterSqlite3(file, { readonly: true })
  try {
    return work(database)
  } finally {
    database.close()
  }
}
