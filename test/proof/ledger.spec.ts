import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from '@jest/globals'
import type BetterSqlite3 from 'better-sqlite3'
import { withDatabase } from '../processes/database-file.js'
import { Sandbox } from '../processes/sandbox.js'
import { Ledger } from './ledger.js'
import { Load } from './load.js'
import { saySeed } from './scale.js'

type Database = BetterSqlite3.Database

const HOOK = fileURLToPath(new URL('sabotage.mjs', import.meta.url))
const ENOUGH_WRITES = 60

const insert = (database: Database, id: string, name: string) =>
  database
    .prepare(
      `INSERT INTO personas (id, name, appearance, personality, created_at, updated_at)
       VALUES (?, ?, 'An appearance', 'A personality', '2026-01-01', '2026-01-01')`,
    )
    .run(id, name)

/** Takes an index out of the schema, adds a row that it then does not have, and puts it back. */
function insertBehindIndex(folder: string, index: string): void {
  const schema = withDatabase(folder, (database) => {
    const row = database.prepare('SELECT * FROM sqlite_master WHERE name = ?').get(index) as Record<string, unknown>
    editSchema(database, () => database.prepare('DELETE FROM sqlite_master WHERE name = ?').run(index))
    return row
  })
  withDatabase(folder, (database) => insert(database, 'behind', 'Behind the index'))
  withDatabase(folder, (database) =>
    editSchema(database, () =>
      database
        .prepare('INSERT INTO sqlite_master (type, name, tbl_name, rootpage, sql) VALUES (?, ?, ?, ?, ?)')
        .run(schema['type'], schema['name'], schema['tbl_name'], schema['rootpage'], schema['sql']),
    ),
  )
}

function editSchema(database: Database, edit: () => void): void {
  database.unsafeMode(true)
  database.pragma('writable_schema = ON')
  edit()
}

/** A change behind the ledger's back, and what the ledger must say of it. */
interface Violation {
  readonly title: string
  readonly plant: (folder: string) => void
  readonly verdict: RegExp
}

const statement = (sql: string) => (folder: string) => {
  withDatabase(folder, (database) => database.exec(sql))
}

const violations: readonly Violation[] = [
  {
    title: 'an acknowledged creation that is not there',
    plant: statement(`DELETE FROM personas WHERE name = 'Acknowledged'`),
    verdict: /^lost: Acknowledged \(a\) was acknowledged$/,
  },
  {
    title: 'an acknowledged creation under another id',
    plant: statement(`UPDATE personas SET id = 'b' WHERE name = 'Acknowledged'`),
    verdict: /^lost: Acknowledged \(a\) was acknowledged$/,
  },
  {
    title: 'a creation that took effect twice',
    plant: (folder) => withDatabase(folder, (database) => insert(database, 'twin', 'Acknowledged')),
    verdict: /^duplicated: Acknowledged was made 2 times$/,
  },
  {
    title: 'a refused creation that is there',
    plant: (folder) => withDatabase(folder, (database) => insert(database, 'refused', 'Refused')),
    verdict: /^made: Refused was refused$/,
  },
  {
    title: 'a row that nobody asked for',
    plant: (folder) => withDatabase(folder, (database) => insert(database, 'stranger', 'Stranger')),
    verdict: /^made: Stranger was never asked for$/,
  },
  {
    title: 'an acknowledged count that is not there',
    plant: statement('UPDATE personas SET generation_count = 1'),
    verdict: /^lost: 2 counts of a were acknowledged, 1 are there$/,
  },
  {
    title: 'a count that took effect twice',
    plant: statement('UPDATE personas SET generation_count = 4'),
    verdict: /^duplicated: 4 counts of a are there, at most 3 were made$/,
  },
  {
    title: 'a reference to nothing',
    plant: statement(`
      CREATE TABLE notes (id INTEGER PRIMARY KEY, persona TEXT REFERENCES personas (id));
      PRAGMA foreign_keys = OFF;
      INSERT INTO notes VALUES (1, 'nobody')`),
    verdict: /^foreign_key_check: .*"table":"notes"/,
  },
  {
    title: 'a row that an index does not have, by its count',
    plant: (folder) => insertBehindIndex(folder, 'personas_created_at_id_idx'),
    verdict: /^index count: personas_created_at_id_idx has 1 entries for 2 rows of personas$/,
  },
  {
    title: 'a row that an index does not have, by the integrity check',
    plant: (folder) => insertBehindIndex(folder, 'personas_created_at_id_idx'),
    verdict: /^integrity_check: row \d+ missing from index personas_created_at_id_idx$/,
  },
]

/** A line of the built server that is made wrong, and what the ledger must find then. */
interface Sabotage {
  readonly title: string
  readonly file: string
  readonly search: string
  readonly replacement: string
  /** What the database has besides, before the server starts. */
  readonly schema?: string
  readonly writers?: number
  readonly verdicts: readonly RegExp[]
}

const RUN = 'results.push(write.run(transaction));'
const COMMIT = `${RUN}
            }
            await transaction.commit();`

/** A row that refers to nothing comes with each persona: a server that minds makes none. */
const REFERENCE_TO_NOTHING = `
  CREATE TABLE notes (id INTEGER PRIMARY KEY, persona TEXT REFERENCES personas (id));
  CREATE TRIGGER notes_of_nobody AFTER INSERT ON personas
  BEGIN
    INSERT INTO notes (persona) VALUES ('nobody');
  END`

/** Takes the index out of the schema after each BEGIN, and puts it back before the COMMIT. */
const HIDDEN_INDEX = `
        const edit = (text, ...values) => {
            this.#driver.unsafeMode(true);
            this.#driver.pragma('writable_schema = ON');
            this.#driver.prepare(text).run(...values);
            this.#driver.pragma('writable_schema = RESET');
        };
        const named = "FROM sqlite_master WHERE name = 'personas_created_at_id_idx'";
        if (sql === 'COMMIT' && globalThis.hidden)
            edit('INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)', ...globalThis.hidden);
        this.#observed(sql, () => prepared.run());
        if (sql === 'BEGIN IMMEDIATE') {
            globalThis.hidden = this.#driver.prepare('SELECT * ' + named).raw().get();
            edit('DELETE ' + named);
        }`

const sabotages: readonly Sabotage[] = [
  {
    title: 'drops every fifth COMMIT',
    file: 'dist/database/sqlite/write-transaction.js',
    search: `this.#connection.control('COMMIT')`,
    replacement: `this.#connection.control((globalThis.commits = (globalThis.commits ?? 0) + 1) % 5 ? 'COMMIT' : 'ROLLBACK')`,
    verdicts: [/^lost: /],
  },
  {
    title: 'acknowledges a write before its COMMIT',
    file: 'dist/database/sqlite/group-committer.js',
    search: COMMIT,
    replacement: `${RUN}
            }
            for (const [index, write] of writes.entries()) write.resolve(results[index]);
            await new Promise((resolve) => setTimeout(resolve, 100));
            await transaction.commit();`,
    verdicts: [/^lost: /],
  },
  {
    title: 'acknowledges a write that is alone before its COMMIT',
    writers: 1,
    file: 'dist/database/sqlite/group-committer.js',
    search: COMMIT,
    replacement: `${RUN}
            }
            writes[0].resolve(results[0]);
            globalThis.writes = (globalThis.writes ?? 0) + 1;
            if (globalThis.writes >= ${ENOUGH_WRITES}) await new Promise(() => undefined);
            await transaction.commit();`,
    verdicts: [/^lost: /],
  },
  {
    title: 'makes every write of a batch twice',
    file: 'dist/database/sqlite/group-committer.js',
    search: RUN,
    replacement: `${RUN}
                try { write.run(transaction) } catch {}`,
    verdicts: [/^duplicated: /],
  },
  {
    title: 'refuses every fifth write that it makes',
    file: 'dist/database/sqlite/group-committer.js',
    search: 'write.resolve(results[index]);',
    replacement: `{
                const full = Object.assign(new Error('sabotaged'), { code: 'SQLITE_FULL' });
                const isRefused = (globalThis.writes = (globalThis.writes ?? 0) + 1) % 5 === 0;
                if (isRefused) write.reject(full);
                else write.resolve(results[index]);
            }`,
    verdicts: [/^made: .* was refused$/],
  },
  {
    title: 'does not enforce foreign keys',
    file: 'dist/database/sqlite/pragmas.js',
    search: `same('foreign_keys', 1)`,
    replacement: `same('foreign_keys', 0)`,
    schema: REFERENCE_TO_NOTHING,
    verdicts: [/^foreign_key_check: .*"table":"notes"/],
  },
  {
    title: 'hides an index from each of its transactions',
    file: 'dist/database/sqlite/connection.js',
    search: `this.#observed(sql, () => prepared.run());`,
    replacement: HIDDEN_INDEX,
    verdicts: [
      /^index count: personas_created_at_id_idx has 0 entries for \d+ rows of personas$/,
      /^integrity_check: row \d+ missing from index personas_created_at_id_idx$/,
    ],
  },
]

describe('the ledger', () => {
  const sandbox = new Sandbox()
  afterEach(() => sandbox.clear())

  /** A database, and a ledger that agrees with it. */
  function agreeing(): { folder: string; ledger: Ledger } {
    const folder = sandbox.folder()
    const ledger = new Ledger()
    withDatabase(folder, (database) => insert(database, 'a', 'Acknowledged'))
    statement('UPDATE personas SET generation_count = 2')(folder)
    ledger.noteCreation('Acknowledged', 'acknowledged', 'a')
    ledger.noteCreation('Refused', 'refused')
    ledger.noteCreation('Unknown', 'unknown')
    for (const fate of ['acknowledged', 'acknowledged', 'refused', 'unknown'] as const) ledger.noteCount('a', fate)
    return { folder, ledger }
  }

  it('finds nothing wrong with a database that agrees with it, whatever became of the unknown writes', () => {
    saySeed()
    const { folder, ledger } = agreeing()
    expect(withDatabase(folder, (database) => ledger.judge(database))).toEqual([])
    withDatabase(folder, (database) => insert(database, 'u', 'Unknown'))
    statement(`UPDATE personas SET generation_count = 3 WHERE id = 'a'`)(folder)
    expect(withDatabase(folder, (database) => ledger.judge(database))).toEqual([])
  })

  it.each(violations)('finds $title', ({ plant, verdict }) => {
    const { folder, ledger } = agreeing()
    plant(folder)
    expect(withDatabase(folder, (database) => ledger.judge(database))).toContainEqual(expect.stringMatching(verdict))
  })

  it.each(sabotages)('convicts a server that $title', async ({ title, schema, verdicts, writers = 8, ...sabotage }) => {
    const folder = sandbox.folder()
    if (schema !== undefined) statement(schema)(folder)
    const env = { NODE_OPTIONS: `--import=${HOOK}`, SABOTAGE: JSON.stringify(sabotage) }
    const server = await sandbox.start({ folder, env, isUnbundled: true })
    const ledger = new Ledger()
    const load = new Load({ ledger, writers, connect: () => sandbox.connect(server), name: 'Sabotaged' })
    await load.progress(ENOUGH_WRITES)
    server.kill('SIGKILL')
    await server.closed
    await load.stop()
    const found = withDatabase(folder, (database) => ledger.judge(database))
    const matching = verdicts.map((verdict): unknown => expect.stringMatching(verdict))
    expect({ title, found }).toEqual({ title, found: expect.arrayContaining(matching) })
  })

  it('stops a server whose sabotage does not fit the code', async () => {
    const env = {
      NODE_OPTIONS: `--import=${HOOK}`,
      SABOTAGE: JSON.stringify({ file: 'dist/database/sqlite/write-transaction.js', search: 'no such text' }),
    }
    const server = sandbox.launch({ env, isUnbundled: true })
    expect(await server.closed).toEqual({ code: 1, signal: null })
    expect(server.stderr).toContain('The sabotage does not fit')
  })
})
