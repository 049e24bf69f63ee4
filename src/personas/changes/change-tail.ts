import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { CommitWatch } from '../../database/commit-watch.js'
import type { Database } from '../../database/database.js'
import { FifoLock } from '../../database/fifo-lock.js'
import { errorForLog } from '../../logging/error-for-log.js'
import { type Chunk, chunksOf } from './change-chunks.js'
import type { ChangeObserver } from './change-observer.js'
import { type ChangeSource, PAGE_CHANGES, positionAfter } from './change-source.js'
import type { CatchUpPage, ChangeStream, Tail } from './change-stream.js'
import { RecentChunks } from './recent-chunks.js'
import { type Position, reasonToReset, type ResetReason } from './change.js'

export interface TailParts {
  readonly database: Database
  readonly source: ChangeSource
  readonly observer: ChangeObserver
  readonly logger: Logger
}

/** What is kept for those who had no room for a moment, by each process. */
const RECENT_BYTES = 1_048_576
/** So many pages at a time, for all that have to catch up: the other connections are for those who are up to date. */
const PAGES_AT_A_TIME = 2
const PAGE_TIMEOUT_MS = 10_000
/** Under load the changes of so long are read together, which costs less than each alone. */
const READ_EVERY_MS = 10
const RETRY_MS = 250
const COMMENT_AFTER_MS = 15_000

/**
 * The end of the sequence of changes, as one process sees it while somebody listens. It reads each change once, and hands it
 * to all who are up to date.
 */
export class ChangeTail implements Tail {
  readonly #streams = new Set<ChangeStream>()
  readonly #pages = new FifoLock(PAGES_AT_A_TIME)
  readonly #recent: RecentChunks
  readonly #watch: CommitWatch
  readonly #quiet: NodeJS.Timeout
  #position: Position
  #isDue = true
  #isReading = false
  #hasFailed = false
  #isClosed = false

  private constructor(
    private readonly parts: TailParts,
    position: Position,
  ) {
    this.#position = position
    this.#recent = new RecentChunks(RECENT_BYTES, position.seq)
    this.#quiet = setTimeout(() => this.#comment(), COMMENT_AFTER_MS)
    this.#quiet.unref()
    // What was committed since the position was read is found by the first look.
    this.#watch = parts.database.watchCommits(() => this.#wake())
    this.#wake()
  }

  /** Begins at the present. @throws what the database answers when it cannot be read */
  static async open(parts: TailParts): Promise<ChangeTail> {
    return new ChangeTail(parts, await parts.source.present())
  }

  get observer(): ChangeObserver {
    return this.parts.observer
  }

  get position(): Position {
    return this.#position
  }

  add(stream: ChangeStream): void {
    this.#streams.add(stream)
  }

  remove(stream: ChangeStream): void {
    this.#streams.delete(stream)
  }

  recent(seq: number): readonly Chunk[] | null {
    return this.#recent.after(seq)
  }

  reasonToReset(position: Position): Promise<ResetReason | undefined> {
    return this.#inTurn(() => this.parts.source.reasonToReset(position))
  }

  read(after: number, limit: number): Promise<CatchUpPage> {
    return this.#inTurn(async () => {
      const page = await this.parts.source.page({ after, upTo: this.#position.seq, limit })
      return { page, chunks: chunksOf(page) }
    })
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const release = await this.#pages.acquire(PAGE_TIMEOUT_MS)
    if (!release) throw new Error('Too many listeners catch up.')
    try {
      return await work()
    } finally {
      release()
    }
  }

  /** Ends it, and all who listen. */
  close(): void {
    this.#isClosed = true
    this.#watch.close()
    clearTimeout(this.#quiet)
    for (const stream of this.#streams) stream.end()
  }

  #wake(): void {
    this.#isDue = true
    if (!this.#isReading) void this.#readWhileDue()
  }

  async #readWhileDue(): Promise<void> {
    this.#isReading = true
    while (this.#isDue && !this.#isClosed) {
      this.#isDue = false
      const next = performance.now() + READ_EVERY_MS
      const pauseMs = (await this.#readOn()) ? next - performance.now() : RETRY_MS
      await delay(Math.max(0, pauseMs), undefined, { ref: false })
    }
    this.#isReading = false
  }

  /** Reads what is there. @returns false when the database cannot be read; then it is to be tried again */
  async #readOn(): Promise<boolean> {
    try {
      while (!this.#isClosed && !(await this.#readPage()));
      this.#hasFailed = false
      return true
    } catch (error) {
      if (!this.#hasFailed) this.parts.logger.warn({ err: errorForLog(error) }, 'changes cannot be read')
      this.#hasFailed = true
      this.#isDue = true
      return false
    }
  }

  /** @returns whether it was the last one */
  async #readPage(): Promise<boolean> {
    const { seq } = this.#position
    const page = await this.parts.source.page({ after: seq, limit: PAGE_CHANGES })
    if (this.#isClosed) return true
    const reason = reasonToReset(this.#position, page.extent)
    // Those who listen are where it is, and are told of all that comes, however much came at once.
    if (reason && reason !== 'too-far-behind') {
      this.#position = await this.parts.source.present()
      this.#recent.restart(this.#position.seq)
      for (const stream of this.#streams) stream.interrupt(reason)
      return true
    }
    const chunks = chunksOf(page)
    this.#position = positionAfter(this.#position, page)
    if (page.next === seq) return true
    this.#recent.add(chunks)
    for (const stream of this.#streams) stream.deliver(chunks)
    if (chunks.length > 0) this.#quiet.refresh()
    return page.isLast
  }

  #comment(): void {
    for (const stream of this.#streams) stream.comment()
    this.#quiet.refresh()
  }
}
