import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { abort } from '../../src/transfer/abort.js'
import { openSource, openTarget } from '../../src/transfer/open.js'
import { Transfer } from '../../src/transfer/transfer.js'
import { Sandbox } from '../processes/sandbox.js'
import { before, dyingWhen, Killed } from './interception.js'
import {
  closePostgres,
  execute,
  fill,
  gator,
  leftovers,
  migratedPostgres,
  onSqlite,
  personasOf,
  personasTable,
  query,
  settingsOf,
  SILENT,
  withSides,
} from './support.js'

const ROWS = 8

/** Keeps the history of a database from seeing what a test does to it. */
const SILENCE = {
  SQLite: ['insert', 'update', 'rename', 'delete']
    .map((event) => `DROP TRIGGER IF EXISTS personas_revision_${event}`)
    .join('; '),
  PostgreSQL: 'ALTER TABLE personas DISABLE TRIGGER USER',
}

describe('gator transfer', () => {
  const sandbox = new Sandbox()
  afterAll(async () => {
    await sandbox.clear()
    await closePostgres()
  })
  const sqlite = () => `file:${join(sandbox.folder(), 'gator.db')}`
  const filled = async (url: string) => {
    await fill(url, ROWS)
    return url
  }
  const transfer = (from: string, to: string) =>
    withSides(from, to, (source, target) => new Transfer(source, target, SILENT).run())
  const interrupted = (from: string, to: string) =>
    withSides(from, to, async (source, target) => {
      const personas = await personasTable(target)
      const isTime = async (made: readonly string[]) => made.at(-1) === 'write' && (await target.count(personas)) > 0
      const dying = dyingWhen(isTime, source, target)
      const run = new Transfer(dying.source, dying.target, SILENT, { maxRows: 3, aboutChars: 1_000 }).run()
      await expect(run).rejects.toBeInstanceOf(Killed)
      expect(await target.count(personas)).toBeGreaterThan(0)
    })
  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await gator(sandbox.emptyFolder(), 'transfer', ...args, '--json').ended
    return { code, stderr, result: JSON.parse(stdout) as { ok: boolean; error?: string } }
  }
  const hashOf = (url: string) =>
    createHash('sha256')
      .update(readFileSync(url.slice('file:'.length)))
      .digest('hex')

  it('migrates a target that is not there, moves, and says so again', async () => {
    const from = await filled(await migratedPostgres())
    const to = `file:${join(sandbox.emptyFolder(), 'new.db')}`
    const first = await gator(sandbox.emptyFolder(), 'transfer', '--from', from, '--to', to).ended
    expect(first).toMatchObject({ code: 0 })
    expect(first.stdout).toMatch(
      /^api_keys: 0 rows, SHA-256 [0-9a-f]{64}\nchange_feed: 0 rows, SHA-256 [0-9a-f]{64}\nidempotency_keys: 0 rows, SHA-256 [0-9a-f]{64}\npersona_counts: 1 rows, SHA-256 [0-9a-f]{64}\npersona_revisions: 8 rows, SHA-256 [0-9a-f]{64}\npersona_terms: 0 rows, SHA-256 [0-9a-f]{64}\npersonas: 8 rows, SHA-256 [0-9a-f]{64}\npersonas_unindexed: 8 rows, SHA-256 [0-9a-f]{64}\nMoved, with 0 changes made meanwhile; writers waited for \d+ ms\. Restart/,
    )
    expect(first.stderr.split('\n').slice(0, -1)).toEqual([
      'Copying 25 rows (api_keys, change_feed, idempotency_keys, persona_counts, persona_revisions, persona_terms, personas, personas_unindexed).',
      'Catching up with what was written meanwhile.',
      'Verifying a hash of every row on both sides.',
      'Keeping writers waiting for the last rest.',
    ])
    expect(await personasOf(to)).toEqual(await personasOf(from))
    expect(existsSync(`${to.slice('file:'.length)}-transfer-lock`)).toBe(false)
    expect(await json('--from', from, '--to', to)).toMatchObject({
      code: 0,
      result: { ok: true, state: 'moved-before', tables: [] },
    })
  })

  it('dry: writes nothing on either side', async () => {
    const [from, to, absent] = [await filled(sqlite()), await migratedPostgres(), join(sandbox.emptyFolder(), 'no.db')]
    const before = hashOf(from)
    const report = await json('--from', from, '--to', to, '--dry-run')
    const rows = [
      ...['api_keys', 'change_feed', 'idempotency_keys'].map((name) => ({ name, rows: 0 })),
      { name: 'persona_counts', rows: 1 },
      { name: 'persona_revisions', rows: ROWS },
      { name: 'persona_terms', rows: 0 },
      ...['personas', 'personas_unindexed'].map((name) => ({ name, rows: ROWS })),
    ]
    expect(report).toMatchObject({ code: 0, result: { ok: true, state: 'dry-run', target: 'empty', tables: rows } })
    const other = await json('--from', from, '--to', `file:${absent}`, '-n')
    expect(other).toMatchObject({ code: 0, result: { ok: true, target: 'absent', tables: rows } })
    expect(existsSync(absent)).toBe(false)
    expect(hashOf(from)).toBe(before)
    expect([await leftovers(from), await leftovers(to), await personasOf(to)]).toEqual([[], [], []])
  })

  it('dry: tells what would stop it', async () => {
    const [from, to] = [await filled(sqlite()), await filled(await migratedPostgres())]
    const report = await json('--from', from, '--to', to, '-n')
    expect(report).toMatchObject({ code: 1, result: { ok: false, error: expect.stringContaining('is not empty') } })
  })

  it('refuses a target that has rows, and leaves both as they are', async () => {
    const [from, to] = [await filled(sqlite()), await filled(await migratedPostgres())]
    await execute(to, `UPDATE personas SET name = 'theirs'`)
    await expect(transfer(from, to)).rejects.toThrow(
      /is not empty: persona_revisions has 16 rows, personas has 8 rows, personas_unindexed has 16 rows\. Name a database without rows/,
    )
    expect([await leftovers(from), await leftovers(to)]).toEqual([[], []])
    expect(new Set((await personasOf(to)).map(({ name }) => name))).toEqual(new Set(['theirs']))
  })

  it('takes a target whose server was asked what has changed, and once had a persona', async () => {
    const [from, to] = [await filled(sqlite()), await migratedPostgres()]
    await execute(to, `INSERT INTO change_feed (id, epoch, floor) VALUES (1, 'theirs', 5)`)
    await execute(to, 'INSERT INTO persona_counts (slot, total, active) VALUES (7, 1, 1), (8, -1, -1)')
    await transfer(from, to)
    expect(await query(to, 'SELECT slot, total FROM persona_counts')).toEqual([{ slot: 1, total: ROWS }])
    expect(await query(to, 'SELECT epoch FROM change_feed')).toEqual([])
  })

  it('refuses a target that another source is filling, and a source that goes elsewhere', async () => {
    const [one, other, to, elsewhere] = [
      await filled(sqlite()),
      await filled(sqlite()),
      await migratedPostgres(),
      sqlite(),
    ]
    await interrupted(one, to)
    await expect(transfer(other, to)).rejects.toThrow(/holds an unfinished transfer from file:.*is no part of/)
    await expect(transfer(one, elsewhere)).rejects.toThrow(/A transfer from .* is under way/)
    await transfer(one, to)
    await expect(transfer(one, elsewhere)).rejects.toThrow(/was moved to .* takes no writes.*--unseal/s)
    expect([await leftovers(other), await leftovers(elsewhere)]).toEqual([[], []])
  })

  it('refuses a second transfer to a target at the same time', async () => {
    for (const [from, to] of [
      [sqlite(), sqlite()],
      [sqlite(), await migratedPostgres()],
    ] as const) {
      await withSides(from, to, async (_source, target) => {
        await target.lock()
        await expect(transfer(from, to)).rejects.toThrow(/Another transfer to .* is running/)
      })
    }
  })

  it('refuses a target with another schema', async () => {
    const [from, to] = [await filled(sqlite()), await migratedPostgres()]
    await execute(to, 'ALTER TABLE personas ADD COLUMN mood TEXT')
    await expect(transfer(from, to)).rejects.toThrow(/only the target has personas\.mood, text/)
    expect(await leftovers(from)).toEqual([])
  })

  it.each([
    ['SQLite', 'PostgreSQL'],
    ['PostgreSQL', 'SQLite'],
  ])('finds a row that was changed on the target: %s to %s', async (_from, toKind) => {
    const isToSqlite = toKind === 'SQLite'
    const from = await filled(isToSqlite ? await migratedPostgres() : sqlite())
    const to = isToSqlite ? sqlite() : await migratedPostgres()
    for (const damage of [
      `UPDATE personas SET updated_at = '2026-01-02 03:04:05.999' WHERE generation_count = 3`,
      `DELETE FROM personas WHERE generation_count = 4`,
      `INSERT INTO personas (id, name, appearance, personality, created_at, updated_at)
       SELECT 'stranger', name, '', '', created_at, updated_at FROM personas LIMIT 1`,
    ]) {
      await withSides(from, to, async (source, target) => {
        const interfering = before(source, { snapshot: () => execute(to, `${SILENCE[toKind as 'SQLite']}; ${damage}`) })
        const run = new Transfer(interfering, target, SILENT).run()
        await expect(run).rejects.toThrow(
          damage.startsWith('INSERT')
            ? /8 rows on the source, 9 on the target/
            : /personas\(.*000[34]\) (differs|is missing)/,
        )
      })
      await withSides(from, to, async (source, target) => expect(await abort(source, target, to)).toBe('emptied'))
    }
    await execute(from, `UPDATE personas SET name = 'still in service'`)
  })

  it('finds a row of the last rest that did not arrive as it was, and lets the writers go on', async () => {
    const [from, to] = [await filled(sqlite()), sqlite()]
    await withSides(from, to, async (source, target) => {
      const spoil = async () => {
        await execute(
          to,
          // The transfer takes the triggers of the schema away while it writes; none that looks like one of its own.
          `CREATE TRIGGER _gator_transfer_spoil AFTER INSERT ON personas BEGIN
             UPDATE personas SET name = 'spoilt' WHERE id = NEW.id;
           END`,
        )
        await execute(from, `UPDATE personas SET name = 'last' WHERE generation_count = 6`)
      }
      const run = new Transfer(before(source, { stopWrites: spoil }), target, SILENT).run()
      await expect(run).rejects.toThrow(/personas\(.*0006\) is not on the target as it is on the source/)
    })
    await execute(from, `UPDATE personas SET name = 'in service'`)
  })

  it('finds a table that was made anew past the triggers', async () => {
    const [from, to] = [await filled(sqlite()), await migratedPostgres()]
    await withSides(from, to, async (source, target) => {
      const redefine = () =>
        onSqlite(from, (database) => {
          const made = database.prepare(`SELECT sql FROM sqlite_master WHERE name = 'personas'`).pluck().get()
          database.exec(
            `${String(made).replace('"personas"', '"fresh"')}; INSERT INTO fresh SELECT * FROM personas;
             DROP TABLE personas; ALTER TABLE fresh RENAME TO personas`,
          )
          return Promise.resolve()
        })
      const run = new Transfer(before(source, { snapshot: redefine }), target, SILENT).run()
      await expect(run).rejects.toThrow(/Triggers of the transfer were removed while it ran/)
    })
  })

  it('names the row that PostgreSQL has no place for, and seals nothing', async () => {
    const [from, to] = [await filled(sqlite()), await migratedPostgres()]
    await execute(from, `UPDATE personas SET name = 'a' || char(0) || 'b' WHERE generation_count = 5`)
    const { code, result } = await json('--from', from, '--to', to)
    expect({ code, error: result.error }).toEqual({
      code: 1,
      error: expect.stringMatching(/personas\(.*0005\) cannot be transferred: name holds U\+0000/),
    })
    expect((await json('--from', from, '--to', to, '-n')).result.error).toBe(result.error)
    await execute(
      from,
      `UPDATE personas SET name = 'ab', updated_at = '2026-01-02 03:04:05.6789' WHERE generation_count = 5`,
    )
    await expect(transfer(from, to)).rejects.toThrow(/updated_at: .* is more exact than milliseconds/)
    await execute(
      from,
      `${SILENCE.SQLite}; UPDATE personas SET updated_at = created_at, name = CAST(x'61ff' AS TEXT) WHERE generation_count = 5`,
    )
    await expect(transfer(from, to)).rejects.toThrow(
      /personas\(.*0005\) cannot be transferred: name is not valid UTF-8/,
    )
    await execute(from, `UPDATE personas SET name = 'ab', version = 3000000000 WHERE generation_count = 5`)
    await expect(transfer(from, to)).rejects.toThrow(/personas\(.*0005\) cannot be transferred: .*out of range/)
    await execute(from, `UPDATE personas SET version = 3 WHERE generation_count = 5`)
    expect(await transfer(from, to)).toMatchObject({ state: 'moved', isResumed: true })
  })

  it.each(['SQLite', 'PostgreSQL'])('ends an unfinished transfer from %s with --abort', async (kind) => {
    const [from, to] =
      kind === 'SQLite'
        ? [await filled(sqlite()), await migratedPostgres()]
        : [await filled(await migratedPostgres()), sqlite()]
    await interrupted(from, to)
    expect(await leftovers(from)).not.toEqual([])
    // What a server would write there, the transfer would take for a fault.
    const server = sandbox.launch({ folder: sandbox.emptyFolder(), env: { DATABASE_URL: to } })
    expect((await server.closed).code).toBe(1)
    expect(server.stderr).toContain('has not come to its end')
    // Another target, be it there or not, is not the one that is to be ended.
    for (const other of [sqlite(), await migratedPostgres()]) {
      const refused = await json('--from', from, '--to', other, '--abort')
      expect(refused).toMatchObject({ code: 1, result: { error: expect.stringContaining('name that one with --to') } })
    }
    const ended = await json('--from', from, '--to', to, '--abort')
    expect(ended).toMatchObject({ code: 0, result: { ok: true, state: 'aborted', target: 'emptied' } })
    expect([await leftovers(from), await leftovers(to), await personasOf(to)]).toEqual([[], [], []])
    await execute(from, `UPDATE personas SET name = 'in service'`)
    expect(await transfer(from, to)).toMatchObject({ state: 'moved', isResumed: false })
    const source = await openSource(settingsOf(from))
    const target = await openTarget(settingsOf(to))
    await expect(abort(source, target, to)).rejects.toThrow(/was moved to .*nothing to abort/)
    await source.close()
    await target?.close()
    expect(await query(to, 'SELECT count(*) AS n FROM personas').then(([row]) => Number(row?.['n']))).toBe(ROWS)
  })

  it.each(['SQLite', 'PostgreSQL'])('lets %s take writes again with --unseal', async (kind) => {
    const [from, to] =
      kind === 'SQLite'
        ? [await filled(sqlite()), await migratedPostgres()]
        : [await filled(await migratedPostgres()), sqlite()]
    expect(await json('--from', from, '--unseal')).toMatchObject({ code: 1, result: { ok: false } })
    await transfer(from, to)
    for (const write of [
      `UPDATE personas SET name = 'no'`,
      'DELETE FROM personas',
      `INSERT INTO personas (id, name, appearance, personality, created_at, updated_at) VALUES ('x', '', '', '', '2026-01-01 00:00:00', '2026-01-01 00:00:00')`,
    ]) {
      await expect(execute(from, write).catch((error: Error) => error.message)).resolves.toContain('was moved to')
    }
    expect(await json('--from', from, '--unseal')).toMatchObject({ code: 0, result: { ok: true, state: 'unsealed' } })
    expect(await leftovers(from)).toEqual([])
    await execute(from, `UPDATE personas SET name = 'yes'`)
  })

  it('moves from SQLite to SQLite', async () => {
    const [from, to] = [await filled(sqlite()), sqlite()]
    expect(await transfer(from, to)).toMatchObject({ state: 'moved' })
    expect(await personasOf(to)).toEqual(await personasOf(from))
  })

  it('moves from PostgreSQL to PostgreSQL, by roles that only own their tables', async () => {
    const [from, to] = [await filled(await migratedPostgres()), await migratedPostgres()]
    const [mover, server] = [await roleOf(from, 'mover'), await roleOf(from, 'server')]
    for (const url of [from, to]) {
      await execute(
        url,
        `ALTER TABLE personas OWNER TO ${mover.name}; ALTER TABLE _prisma_migrations OWNER TO ${mover.name};
         ALTER TABLE persona_revisions OWNER TO ${mover.name}; ALTER TABLE idempotency_keys OWNER TO ${mover.name};
         ALTER TABLE change_feed OWNER TO ${mover.name};
         ALTER TABLE api_keys OWNER TO ${mover.name}; ALTER TABLE persona_counts OWNER TO ${mover.name};
         ALTER TABLE persona_terms OWNER TO ${mover.name}; ALTER TABLE personas_unindexed OWNER TO ${mover.name};
         GRANT CREATE ON SCHEMA public TO ${mover.name}; GRANT SELECT, INSERT, UPDATE ON personas TO ${server.name}`,
      )
    }
    await withSides(mover.at(from), mover.at(to), async (source, target) => {
      const write = () =>
        execute(server.at(from), `UPDATE personas SET name = 'by another role' WHERE generation_count = 2`)
      const result = await new Transfer(before(source, { changes: write }), target, SILENT).run()
      expect(result).toMatchObject({ state: 'moved', changes: 3 })
    })
    expect(await personasOf(to)).toEqual(await personasOf(from))
    await expect(execute(server.at(from), `UPDATE personas SET name = 'no'`)).rejects.toMatchObject({ code: 'GA001' })
  })

  it('is told wrongly: exit code 2', async () => {
    const url = sqlite()
    const secret = 'postgresql://user:hush@127.0.0.1:1/db'
    const cases: [string[], number, RegExp][] = [
      [['--to', url], 2, /required option '--from <url>'/],
      [['--from', url], 2, /--to is missing/],
      [['--from', 'mysql://user:hush@host/db', '--to', url], 2, /--from must be file:/],
      [['--from', url, '--to', 'postgresql://user:hush@host/db?pgbouncer=true'], 2, /--to must be the server itself/],
      [['--from', url, '--to', 'postgresql://user:hush@host/db?sslmode=prefer'], 2, /--to must have an sslmode/],
      [['--from', url, '--to', `${secret}?schema=other`], 2, /--to must not name a schema/],
      [['--from', url, '--to', url], 2, /name the same database/],
      [['--from', url, '--to', url, '--abort', '-n'], 2, /exclude each other/],
      [['--from', secret, '--to', url], 1, /ECONNREFUSED/],
      [['--from', `file:${join(sandbox.emptyFolder(), 'no.db')}`, '--to', url], 1, /behind the code|no database file/],
    ]
    const ended = await Promise.all(cases.map(([args]) => gator(sandbox.emptyFolder(), 'transfer', ...args).ended))
    for (const [index, { code, stdout, stderr }] of ended.entries()) {
      const [args, expected, message] = cases[index]!
      expect({ args, code, stdout }).toEqual({ args, code: expected, stdout: '' })
      expect(stderr).toMatch(message)
      expect(stderr).not.toContain('hush')
    }
  })

  it('explains itself', async () => {
    const help = await gator(sandbox.emptyFolder(), 'transfer', '--help').ended
    expect(help).toMatchObject({ code: 0, stderr: '' })
    for (const part of [
      '--from <url>',
      '--to <url>',
      '--dry-run',
      '--abort',
      '--unseal',
      '--json',
      'docs/transfer.md',
    ]) {
      expect(help.stdout).toContain(part)
    }
  })
})

/** A role of a test's own that may log in and nothing else. */
async function roleOf(url: string, kind: string) {
  const name = `${kind}_${randomBytes(6).toString('hex')}`
  await execute(url, `CREATE ROLE ${name} LOGIN`)
  return { name, at: (database: string) => Object.assign(new URL(database), { username: name }).href }
}
