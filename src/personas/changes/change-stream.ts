import type { Buffer } from 'node:buffer'
import { Readable, type Writable } from 'node:stream'
import { positionOf } from './change-id.js'
import { type Position, reasonToReset, type ResetReason } from './change.js'
import type { Chunk } from './change-chunks.js'
import { COMMENT, firstBlock, resetBlock } from './change.presenter.js'
import type { ChangeObserver } from './change-observer.js'
import { type ChangePage, PAGE_CHANGES } from './change-source.js'

/** A page for a stream that was left behind. */
export interface CatchUpPage {
  readonly page: ChangePage
  readonly chunks: readonly Chunk[]
}

/** What streams follow. */
export interface Tail {
  /** Up to where it has read, and handed on. */
  readonly position: Position
  readonly observer: ChangeObserver
  /** Why nobody can go on from a position that a client names; undefined when one can. */
  reasonToReset(position: Position): Promise<ResetReason | undefined>
  /** What it has handed on after a `seq`; null when it does not have all of it any more. */
  recent(seq: number): readonly Chunk[] | null
  /** Reads a page after a `seq`, up to where it is itself. */
  read(after: number, limit: number): Promise<CatchUpPage>
}

/** What is kept for a listener that does not read, before it is left behind; and one chunk more. */
const BUFFERED_BYTES = 65_536
const RETRY_MS = 1_000
/** However large events are: a client that reads takes some of them while they are handed over. */
const SMALLEST_PAGE = 4

/**
 * One listener. It is handed what the tail reads for as long as it is up to date and has room. When it has none it is left
 * behind, and reads by itself, page by page, as soon as it is read again: nothing is kept for it meanwhile but its position.
 */
export class ChangeStream extends Readable {
  readonly #tail: Tail
  readonly #response: Writable
  readonly #onClosed: () => void
  #position: Position
  /** Whether it is where the tail is, and gets what comes from there. */
  #isLive = false
  #hasRoom = true
  /** The tail's epoch when it was found that it can go on from where it is. */
  #verifiedIn: string | undefined
  #isFollowing = false
  #isOver = false
  /** How many events to read at a time: about as many as there is room for, since what does not fit is read again. */
  #limit = SMALLEST_PAGE

  /** @param response what it is piped into */
  constructor(tail: Tail, response: Writable, onClosed: () => void) {
    super({ highWaterMark: BUFFERED_BYTES })
    this.#tail = tail
    this.#response = response
    this.#onClosed = onClosed
    this.#position = tail.position
  }

  /** Begins after an id, or at the present. */
  begin(id: string | undefined): void {
    const position = id === undefined ? this.#tail.position : positionOf(id)
    this.#position = position ?? this.#tail.position
    this.push(firstBlock(this.#position))
    if (id === undefined) this.#join()
    if (position === null) this.#reset('unknown-id')
    else this.#catchUp()
  }

  /** Takes what comes next, from where the tail was before; also the occasion to find out whether there is more to read. */
  deliver(chunks: readonly Chunk[]): void {
    if (this.#isLive) this.#give(chunks)
    else this.#catchUp()
  }

  /** Says that nothing has happened, unless it has something to read already. */
  comment(): void {
    if (this.#isLive) this.#pushBytes(COMMENT)
  }

  /** Takes it that the tail has lost its place. Who is behind finds out for itself whether it has, too. */
  interrupt(reason: ResetReason): void {
    if (this.#isLive) this.#reset(reason)
    else this.#catchUp()
  }

  /** Ends it: in order where that takes no time, by breaking the connection of a client that does not read. */
  end(): void {
    this.#isOver = true
    this.#isLive = false
    const isStuck = this.readableLength > 0 || this.#response.writableLength > 0
    if (isStuck) this.destroy()
    else this.push(null)
  }

  override _read(): void {
    this.#hasRoom = true
    this.#catchUp()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#isOver = true
    this.#isLive = false
    this.#onClosed()
    done(error)
  }

  /** Goes on at the present, and says that something was missed. */
  #reset(reason: ResetReason): void {
    this.#position = this.#tail.position
    this.#join()
    this.#tail.observer.onReset(reason)
    this.#pushBytes(resetBlock(this.#position, reason))
  }

  #give(chunks: readonly Chunk[]): void {
    for (const { bytes, position, events } of chunks) {
      this.#position = position
      this.#tail.observer.onEvents(events)
      if (!this.#pushBytes(bytes)) return
    }
  }

  #pushBytes(bytes: Buffer): boolean {
    this.#hasRoom = this.push(bytes)
    if (!this.#hasRoom) this.#isLive = false
    return this.#hasRoom
  }

  #catchUp(): void {
    if (this.#isLive || this.#isFollowing || !this.#hasRoom || this.#isOver) return
    void this.#follow()
  }

  /**
   * Reads until it is where the tail is, or has no room. It may be ahead, too, when a worker that was faster gave the id; the
   * tail calls when it has gone on. What ends it is looked at in the turn in which it ends, so that no call is missed.
   */
  async #follow(): Promise<void> {
    this.#isFollowing = true
    try {
      while (this.#hasRoom && !this.#isOver && !this.#isLive) {
        const { epoch, seq } = this.#tail.position
        if (this.#verifiedIn !== epoch) await this.#verify(epoch)
        else if (this.#position.epoch === epoch && this.#position.seq === seq) this.#join()
        else if (this.#position.epoch !== epoch || this.#position.seq > seq) break
        else if (!this.#takeRecent()) await this.#readPage()
      }
    } catch {
      // The tail, which reads from the same database, says why.
      setTimeout(() => this.#catchUp(), RETRY_MS).unref()
    } finally {
      this.#isFollowing = false
    }
  }

  // In the turn of the event loop in which it is where the tail is, so that nothing comes between.
  #join(): void {
    this.#isLive = true
    this.#verifiedIn = this.#position.epoch
  }

  async #verify(epoch: string): Promise<void> {
    const reason = await this.#tail.reasonToReset(this.#position)
    if (this.#isOver) return
    if (reason) this.#reset(reason)
    else this.#verifiedIn = epoch
  }

  /** @returns false when the tail does not have it any more */
  #takeRecent(): boolean {
    const chunks = this.#tail.recent(this.#position.seq)
    if (!chunks) return false
    this.#give(chunks)
    if (this.#hasRoom) this.#position = this.#tail.position
    return true
  }

  async #readPage(): Promise<void> {
    const { page, chunks } = await this.#tail.read(this.#position.seq, this.#limit)
    if (this.#isOver) return
    const reason = reasonToReset(this.#position, page.extent)
    if (reason) {
      this.#reset(reason)
      return
    }
    this.#learn(chunks)
    this.#give(chunks)
    if (page.isLast && this.#hasRoom) this.#position = { ...this.#position, seq: page.next }
  }

  #learn(chunks: readonly Chunk[]): void {
    const [bytes, events] = chunks.reduce(
      ([all, count], chunk) => [all + chunk.bytes.length, count + chunk.events],
      [0, 0],
    )
    if (events > 0)
      this.#limit = Math.max(SMALLEST_PAGE, Math.min(PAGE_CHANGES, Math.floor((BUFFERED_BYTES * events) / bytes)))
  }
}
