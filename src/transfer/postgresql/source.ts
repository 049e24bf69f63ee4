import { setTimeout as delay } from 'node:timers/promises'
import { CAPTURE, CHANGES, MARK, quoted, SEAL } from '../bookkeeping.js'
import type { Change, Key, Row, Table } from '../model.js'
import type { Mark, Source, SourceView } from '../ports.js'
import { TransferError } from '../transfer-errors.js'
import { readTables } from './catalog.js'
import { labelOf, PostgresqlConnection, sqlStateOf } from './connect.js'
import { captureTriggers, CREATE_LOG, sealTrigger } from './triggers.js'
import { PostgresqlView } from './view.js'

/**
 * Whoever waits for a table's lock keeps those waiting who come after: it waits in short turns, and lets the writers go
 * on in between. Longer than deadlock_timeout (1 s), after which PostgreSQL ends an autovacuum that is in the way.
 */
/** After so long without a word from here the server takes the locks back: this machine is gone. */
const FORGOTTEN_MS = 90_000
const LOCK_TURN_MS = { 'SHARE ROW EXCLUSIVE': 3_000, 'ACCESS EXCLUSIVE': 1_500 } as const
const LOCK_PAUSE_MS = 500
/** Not free in time, or taken by somebody who waits for another of them: a deadlock. */
const LOCK_FAILURES: readonly (string | undefined)[] = ['55P03', '40P01']
/** What a request locks first, in its order; whatever triggers write comes later. In another order they would deadlock. */
const FIRST_LOCKED = ['idempotency_keys', 'personas']

/** A PostgreSQL database in service. */
export class PostgresqlSource implements Source {
  readonly identity: string
  readonly label: string
  readonly #view: PostgresqlView

  private constructor(
    private readonly reader: PostgresqlConnection,
    private readonly writer: PostgresqlConnection,
    url: string,
    private readonly lockTimeoutMs: number,
  ) {
    this.identity = reader.identity
    this.label = labelOf(url)
    this.#view = new PostgresqlView(reader)
  }

  /** @param lockTimeoutMs how long the tables' locks may be tried for, all turns together */
  static async open(url: string, lockTimeoutMs: number): Promise<PostgresqlSource> {
    const reader = await PostgresqlConnection.open(url)
    try {
      return new PostgresqlSource(reader, await PostgresqlConnection.open(url), url, lockTimeoutMs)
    } catch (error) {
      await reader.close()
      throw error
    }
  }

  tables(): Promise<Table[]> {
    return readTables(this.reader)
  }

  count(table: Table): Promise<number> {
    return this.#view.count(table)
  }

  rows(table: Table, keys: readonly Key[]): Promise<Row[]> {
    return this.#view.rows(table, keys)
  }

  page(table: Table, after: Key | null, limit: number): Promise<Row[]> {
    return this.#view.page(table, after, limit)
  }

  changes(after: string | null, limit: number): Promise<Change[]> {
    return this.#view.changes(after, limit)
  }

  greatest(table: Table, column: string): Promise<string | null> {
    return this.#view.greatest(table, column)
  }

  mark(): Promise<Mark | null> {
    return readMark(this.reader)
  }

  // With the tables locked: whoever wrote before has committed, whoever writes after has the triggers.
  async capture(mark: Mark, tables: readonly Table[]): Promise<void> {
    await this.#locked(tables, 'SHARE ROW EXCLUSIVE', async () => {
      const present = await readMark(this.writer)
      if (present && present.target !== mark.target) {
        throw new TransferError(`A transfer to ${present.targetLabel} has just begun.`)
      }
      if (!present) {
        await this.writer.run(CREATE_LOG)
        for (const table of tables) await this.writer.run(captureTriggers(this.writer.schema, table))
      }
      await saveMark(this.writer, mark)
    })
  }

  async forget(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return
    const applied = changes.map(({ seq }) => seq)
    await this.writer.rows(`DELETE FROM ${CHANGES} WHERE seq = ANY($1::bigint[])`, [applied])
  }

  snapshot<T>(work: (view: SourceView) => Promise<T>): Promise<T> {
    return this.reader.transaction(() => work(this.#view), 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
  }

  stopWrites(
    tables: readonly Table[],
    work: (view: SourceView, seal: () => Promise<void>) => Promise<void>,
  ): Promise<number> {
    return this.#locked(tables, 'SHARE ROW EXCLUSIVE', async () => {
      await this.#assertCaptured(tables)
      await work(new PostgresqlView(this.writer), () => this.#seal(tables))
    })
  }

  // To drop a trigger takes the lock that readers need: not while writers wait, and in turns.
  async removeCapture(): Promise<void> {
    await this.#remove([CAPTURE], [CHANGES])
  }

  async restore(): Promise<void> {
    await this.#remove([CAPTURE, SEAL], [CHANGES, MARK])
  }

  async close(): Promise<void> {
    await this.reader.close()
    await this.writer.close()
  }

  async #seal(tables: readonly Table[]): Promise<void> {
    const mark = await readMark(this.writer)
    if (!mark) throw new TransferError('The mark of the transfer is gone: run with --abort, and start again.')
    for (const table of tables) await this.writer.run(sealTrigger(this.writer.schema, table, mark.targetLabel))
    await saveMark(this.writer, { ...mark, sealedAt: new Date().toISOString() })
  }

  async #remove(prefixes: readonly string[], logs: readonly string[]): Promise<void> {
    const tables = await readTables(this.reader)
    await this.#locked(tables, 'ACCESS EXCLUSIVE', async () => {
      for (const prefix of prefixes) {
        for (const { name } of tables) {
          // The triggers go with their function.
          await this.writer.run(`DROP FUNCTION IF EXISTS ${quoted(`${prefix}_${name}`)}() CASCADE`)
        }
      }
      for (const log of logs) await this.writer.run(`DROP TABLE IF EXISTS ${log}`)
    })
  }

  // A migration may have made a table anew: then changes were missed.
  async #assertCaptured(tables: readonly Table[]): Promise<void> {
    const present = await this.writer.value(
      `SELECT count(*) FROM pg_trigger WHERE tgname = $1 AND tgenabled = 'A' AND tgrelid = ANY($2::regclass[])`,
      [CAPTURE, tables.map(({ name }) => quoted(name))],
    )
    if (Number(present) === tables.length) return
    throw new TransferError('Triggers of the transfer were removed while it ran: run with --abort, and start again.')
  }

  /** @returns for how long the tables were locked or about to be, in milliseconds */
  async #locked(tables: readonly Table[], mode: keyof typeof LOCK_TURN_MS, work: () => Promise<void>): Promise<number> {
    const deadline = performance.now() + this.lockTimeoutMs
    const others = tables.map(({ name }) => name).filter((name) => !FIRST_LOCKED.includes(name))
    const first = FIRST_LOCKED.filter((name) => tables.some((table) => table.name === name))
    const names = [...first, ...others].map(quoted).join(', ')
    for (;;) {
      const start = performance.now()
      let isLocked = false
      try {
        await this.writer.transaction(async () => {
          await this.writer.run(`SET LOCAL lock_timeout = ${LOCK_TURN_MS[mode]}`)
          await this.writer.run(`LOCK TABLE ${names} IN ${mode} MODE`)
          await this.writer.run(
            `SET LOCAL lock_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = ${FORGOTTEN_MS}`,
          )
          isLocked = true
          await work()
        })
        return performance.now() - start
      } catch (error) {
        if (isLocked || !LOCK_FAILURES.includes(sqlStateOf(error))) throw error
        if (performance.now() > deadline) throw lockTimeout(this.label, this.lockTimeoutMs, error)
      }
      await delay(LOCK_PAUSE_MS)
    }
  }
}

function lockTimeout(label: string, timeoutMs: number, cause: unknown): TransferError {
  return new TransferError(
    `The locks of the tables of ${label} were not free within ${timeoutMs} ms: a transaction is open for that long.`,
    { cause },
  )
}

async function readMark(connection: PostgresqlConnection): Promise<Mark | null> {
  if ((await connection.value('SELECT to_regclass($1)', [MARK])) === null) return null
  const mark = await connection.value(`SELECT mark FROM ${MARK}`)
  return mark === null ? null : (JSON.parse(mark) as Mark)
}

async function saveMark(connection: PostgresqlConnection, mark: Mark): Promise<void> {
  await connection.rows(
    `INSERT INTO ${MARK} (id, mark) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET mark = EXCLUDED.mark`,
    [JSON.stringify(mark)],
  )
}
