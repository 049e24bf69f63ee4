import { begin } from './begin.js'
import { CatchUp } from './catch-up.js'
import { BATCH_LIMITS, type BatchLimits, copyTables } from './copy.js'
import type { Table } from './model.js'
import type { Source, SourceView, Target } from './ports.js'
import type { StateHolder } from './state.js'
import { commonTables } from './tables.js'
import { TransferError } from './transfer-errors.js'
import { countDifferences, mismatch, type VerifiedTable, verifyTables } from './verify.js'

/** Whoever watches a transfer. */
export interface Watcher {
  say(text: string): void
  progress(title: string, total: number): { update(done: number, total?: number): void; stop(): void }
}

export interface TransferResult {
  /** `moved` by this run; `moved-before`: this run found the source sealed, and tidied up at most. */
  readonly state: 'moved' | 'moved-before'
  readonly isResumed: boolean
  readonly tables: readonly VerifiedTable[]
  /** Entries of the log that this run has applied. */
  readonly changes: number
  /** How long writers waited, in milliseconds. */
  readonly stopMs: number
}

/** Writers wait no longer than this for a target that does not answer. */
const STOP_LIMIT_MS = 60_000

/** @throws TransferError when the work is not done in time; what it has begun is not waited for */
export async function within(limitMs: number, work: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_resolve, reject) => {
    const why = `The last rest took longer than ${limitMs / 1_000} s: writers go on, nothing is sealed. Call it again.`
    timer = setTimeout(() => reject(new TransferError(why)), limitMs)
  })
  try {
    await Promise.race([work(), tooLate])
  } finally {
    clearTimeout(timer)
  }
}

/** One run of a transfer, from wherever the last one ended. Knows no dialect. */
export class Transfer {
  readonly #source: Source
  readonly #target: Target
  readonly #watcher: Watcher
  readonly #limits: BatchLimits

  constructor(source: Source, target: Target, watcher: Watcher, limits: BatchLimits = BATCH_LIMITS) {
    this.#source = source
    this.#target = target
    this.#watcher = watcher
    this.#limits = limits
  }

  /**
   * Moves the source to the target: afterwards the target has every row, and the source takes no writes.
   * @throws TransferError when it may not begin or cannot go on; the source stays in service then
   */
  async run(): Promise<TransferResult> {
    await this.#target.lock()
    const tables = commonTables(await this.#source.tables(), await this.#target.tables())
    const beginning = await begin({ source: this.#source, target: this.#target }, tables)
    if (beginning.step === 'tidy') {
      await this.#tidy()
      return { state: 'moved-before', isResumed: true, tables: [], changes: 0, stopMs: 0 }
    }
    const { state, isResumed } = beginning
    const catchUp = new CatchUp(this.#source, this.#target, tables, state)
    const total = await this.#copy(tables, state, isResumed)
    this.#watcher.say('Catching up with what was written meanwhile.')
    await catchUp.drain(false)
    await this.#target.analyze(tables)
    const verified = await this.#verify(tables, catchUp, total)
    await catchUp.drain(true)
    this.#watcher.say('Keeping writers waiting for the last rest.')
    const stopMs = await this.#stop(tables, catchUp, state)
    await this.#tidy()
    return { state: 'moved', isResumed, tables: verified, changes: catchUp.applied, stopMs }
  }

  async #copy(tables: readonly Table[], state: StateHolder, isResumed: boolean): Promise<number> {
    let total = 0
    for (const table of tables) total += await this.#source.count(table)
    const names = tables.map(({ name }) => name).join(', ')
    this.#watcher.say(
      `Copying ${total} rows (${names})${isResumed ? `, ${state.value.copied} of them already there` : ''}.`,
    )
    const bar = this.#watcher.progress('Copying', total)
    try {
      await copyTables(this.#source, this.#target, tables, state, this.#limits, (copied) => {
        // New rows come while this one goes on.
        bar.update(copied, Math.max(total, copied))
      })
    } finally {
      bar.stop()
    }
    await state.change({ phase: 'catch-up' }, (text) => this.#target.write([], text))
    return total
  }

  async #verify(tables: readonly Table[], catchUp: CatchUp, total: number): Promise<VerifiedTable[]> {
    this.#watcher.say('Verifying a hash of every row on both sides.')
    const bar = this.#watcher.progress('Verifying', total)
    try {
      const { verified, changes } = await this.#source.snapshot(async (view) => {
        const applied = await catchUp.applyAll(view, false)
        const onVerified = (rows: number) => bar.update(rows, Math.max(total, rows))
        return { changes: applied, verified: await verifyTables(view, this.#target, tables, this.#limits, onVerified) }
      })
      await this.#source.forget(changes)
      return verified
    } finally {
      bar.stop()
    }
  }

  #stop(tables: readonly Table[], catchUp: CatchUp, state: StateHolder): Promise<number> {
    return this.#source.stopWrites(tables, (view, seal) =>
      within(STOP_LIMIT_MS, async () => {
        await this.#assertSchemaUnchanged(tables)
        await catchUp.applyAll(view, true)
        const differences = await countDifferences(view, this.#target, tables)
        if (differences.length > 0) throw mismatch(differences)
        await this.#advanceSequences(view, tables)
        // The last commit on the target: it survives a power cut before the seal is committed.
        await state.change({ phase: 'seal' }, (text) => this.#target.restoreForeignKeys(state.value.foreignKeys, text))
      }).then(seal),
    )
  }

  // A migration takes its turn like any other write: while writers wait there is none.
  async #assertSchemaUnchanged(tables: readonly Table[]): Promise<void> {
    const now = commonTables(await this.#source.tables(), await this.#target.tables())
    if (JSON.stringify(now) === JSON.stringify(tables)) return
    throw new TransferError('The schema was changed while the transfer ran: run with --abort, and start again.')
  }

  async #advanceSequences(view: SourceView, tables: readonly Table[]): Promise<void> {
    for (const { table: name, column } of await this.#target.sequences()) {
      const table = tables.find((candidate) => candidate.name === name)
      const greatest = table && (await view.greatest(table, column))
      if (greatest && BigInt(greatest) > 0n) await this.#target.advance(name, column, greatest)
    }
  }

  async #tidy(): Promise<void> {
    try {
      await this.#source.removeCapture()
      await this.#target.dropState()
    } catch (error) {
      throw new TransferError(
        `Everything was moved and the source takes no writes any more; only to tidy up failed: ${(error as Error).message} ` +
          'Call it again to do that.',
        { cause: error },
      )
    }
  }
}
