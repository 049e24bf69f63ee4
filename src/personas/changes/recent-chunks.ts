import type { Chunk } from './change-chunks.js'

/**
 * The end of the sequence as it was handed on, up to a number of bytes. Whoever is no further behind takes it from here: if
 * each of a hundred listeners that had no room for a moment read the same pages from the database, they would never catch up.
 */
export class RecentChunks {
  #chunks: Chunk[] = []
  #bytes = 0
  /** What came after this `seq` is all here. */
  #from: number

  constructor(
    private readonly mostBytes: number,
    seq: number,
  ) {
    this.#from = seq
  }

  /** Appends what comes next, and lets go of the oldest. */
  add(chunks: readonly Chunk[]): void {
    this.#chunks.push(...chunks)
    this.#bytes += chunks.reduce((sum, { bytes }) => sum + bytes.length, 0)
    while (this.#bytes > this.mostBytes) {
      const oldest = this.#chunks.shift()
      if (!oldest) return
      this.#bytes -= oldest.bytes.length
      this.#from = oldest.position.seq
    }
  }

  /** Begins again after a `seq`, with nothing. */
  restart(seq: number): void {
    this.#chunks = []
    this.#bytes = 0
    this.#from = seq
  }

  /** All that came after a `seq`; null when it is not here any more, or when a chunk begins before it. */
  after(seq: number): readonly Chunk[] | null {
    if (seq < this.#from) return null
    const next = this.#chunks.findLastIndex(({ position }) => position.seq <= seq) + 1
    const first = this.#chunks[next]?.first ?? Infinity
    return first > seq ? this.#chunks.slice(next) : null
  }
}
