import { afterAll, describe, expect, it } from '@jest/globals'
import { createInterface } from 'node:readline'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { Transfer } from '../../src/transfer/transfer.js'
import { unseal } from '../../src/transfer/abort.js'
import { openSource } from '../../src/transfer/open.js'
import { Sandbox } from '../processes/sandbox.js'
import { scale } from '../proof/scale.js'
import { before, dyingWhen, Killed } from './interception.js'
import {
  closePostgres,
  execute,
  fill,
  gator,
  leftovers,
  migratedPostgres,
  personasOf,
  settingsOf,
  SILENT,
  withSides,
} from './support.js'

const ROWS = 5
const SMALL_BATCHES = { maxRows: 3, aboutChars: 1_000_000 }

/** One of each kind of change; what they change is there, whatever was changed before. */
function change(url: string): Promise<void> {
  return execute(
    url,
    `DELETE FROM personas WHERE id = (SELECT max(id) FROM personas);
     UPDATE personas SET version = version + 1, name = '${randomUUID()}' WHERE id = (SELECT min(id) FROM personas);
     INSERT INTO personas (id, name, appearance, personality, created_at, updated_at)
     VALUES ('${randomUUID()}', 'new', '', '', '2026-01-01 00:00:00.5', '2026-01-01 00:00:00')`,
  )
}

/** Whether a run ended by the death of its process; when it was tidying up, it says more. */
function isKilled(error: unknown): boolean {
  return error instanceof Killed || (error instanceof Error && error.cause instanceof Killed)
}

/** The one error that a write may meet: a kill that came after the seal leaves a source that takes none. */
function assertMoved(error: Error): void {
  expect(error.message).toContain('this database was moved')
}

/** After how many calls to die: after the first few of each name, or after every one. */
function deathsAmong(steps: readonly string[]): number[] {
  const isAmongFirst = (step: string, index: number) =>
    steps.slice(0, index).filter((earlier) => earlier === step).length < scale.deathsAfterEachCall
  return steps.flatMap((step, index) => (isAmongFirst(step, index) ? [index + 1] : []))
}

describe('an interrupted transfer', () => {
  const sandbox = new Sandbox()
  afterAll(async () => {
    await sandbox.clear()
    await closePostgres()
  })
  const sqlite = () => Promise.resolve(`file:${join(sandbox.folder(), 'gator.db')}`)

  /** A run that dies after so many calls to the databases, if it comes so far; the calls that it made. */
  const runUntil = (calls: number, from: string, to: string) =>
    withSides(from, to, async (source, target) => {
      // There is something to catch up with in each of them.
      const inService = before(source, { changes: () => change(from).catch(assertMoved) })
      const dying = dyingWhen((made) => made.length >= calls, inService, target)
      const run = new Transfer(dying.source, dying.target, SILENT, SMALL_BATCHES).run()
      await run.catch((error: unknown) => {
        if (!isKilled(error)) throw error
      })
      return dying.made
    })

  /** As before the transfer: the source in service, the target empty. */
  async function reset(from: string, to: string): Promise<void> {
    const source = await openSource(settingsOf(from))
    await unseal(source)
    await source.close()
    // As a server would have done by now: what is in the queue is moved as well.
    await execute(from, 'DELETE FROM personas_unindexed')
    await execute(
      to,
      'DELETE FROM personas; DELETE FROM persona_counts; DELETE FROM persona_revisions; DELETE FROM personas_unindexed',
    )
  }

  it.each([
    ['SQLite to PostgreSQL', sqlite, migratedPostgres],
    ['PostgreSQL to SQLite', migratedPostgres, sqlite],
  ])(
    '%s goes on from each step at which it may die',
    async (_name, makeSource, makeTarget) => {
      const [from, to] = [await makeSource(), await makeTarget()]
      await fill(from, ROWS)
      const steps = await runUntil(Infinity, from, to)
      for (const calls of deathsAmong(steps)) {
        await reset(from, to)
        const made = await runUntil(calls, from, to)
        // What is written between the two runs is there too, as long as writes are taken.
        await change(from).catch(assertMoved)
        await runUntil(Infinity, from, to)
        const at = `${calls}: ${made.at(-1)}`
        expect({ at, left: await leftovers(to) }).toEqual({ at, left: [] })
        expect({ at, rows: await personasOf(to) }).toEqual({ at, rows: await personasOf(from) })
      }
      await reset(from, to)
      expect(await leftovers(from)).toEqual([])
    },
    scale.testTimeoutMs,
  )

  it('by kill -9, at each thing that it says, goes on', async () => {
    const [from, to] = [await sqlite(), await migratedPostgres()]
    await fill(from, 2_000)
    const folder = sandbox.emptyFolder()
    const said = ['Copying', 'Catching up', 'Verifying', 'Keeping writers waiting']
    let isOver = false
    for (const line of said) {
      const { child, ended } = gator(folder, 'transfer', '--from', from, '--to', to)
      createInterface({ input: child.stderr }).on('line', (text) => {
        if (text.startsWith(line)) child.kill('SIGKILL')
      })
      const end = await ended
      // The last line is said shortly before the end: on a busy machine the signal may come too late for that.
      isOver = line === said.at(-1) && end.code === 0
      if (!isOver) expect({ line, ...end }).toMatchObject({ line, signal: 'SIGKILL' })
      await change(from).catch(assertMoved)
    }
    if (!isOver) {
      const last = await gator(folder, 'transfer', '--from', from, '--to', to, '--json').ended
      expect(last).toMatchObject({ code: 0, stderr: '' })
      expect(JSON.parse(last.stdout)).toMatchObject({ ok: true, isResumed: true })
    }
    expect(await personasOf(to)).toEqual(await personasOf(from))
    expect(await leftovers(to)).toEqual([])
  })
})
